"""Ultravox: `<|audio|>` in the turns of the text model that it is built on.

Llama 3, Gemma and Qwen templates take plain text; see the model card of
fixie-ai/ultravox-v0_5-llama-3_2-1b. `<|audio|>` need not be one token.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="ultravox",
    model_types=frozenset({"ultravox"}),
    placeholders={Modality.AUDIO: "<|audio|>"},
)
