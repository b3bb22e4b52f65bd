"""Models whose prompts vLLM takes from mistral-common, media's tokens and all: Voxtral, Pixtral.

`[BEGIN_AUDIO]` and a `[AUDIO]` for every 80 ms, or rows of `[IMG]`, are in the ids that vLLM gets,
and vLLM neither adds nor counts them: a prompt with one placeholder a medium would be answered as
if there were none. See the model cards of mistralai/Voxtral-Mini-3B-2507 and Pixtral-12B-2409.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

_MISSING = "vLLM takes its prompts from mistral-common only, which this server does not run"

VOXTRAL = Family(
    name="voxtral",
    model_types=frozenset({"voxtral", "voxtral_realtime"}),
    placeholders={Modality.AUDIO: "[AUDIO]"},
    strings={Modality.AUDIO: "[BEGIN_AUDIO][AUDIO]"},
    missing=_MISSING,
)
PIXTRAL = Family(
    name="pixtral-mistral",
    model_types=frozenset({"pixtral"}),
    placeholders={Modality.IMAGE: "[IMG]"},
    missing=f"{_MISSING}; serve a checkpoint in the form of Hugging Face's transformers",
)
