"""Granite Speech: `<|audio|>` in Granite's turns.

See the model card of ibm-granite/granite-speech-3.3-2b; its LoRA must be on where audio is.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="granite-speech",
    model_types=frozenset({"granite_speech", "granite_speech_plus"}),
    placeholders={Modality.AUDIO: "<|audio|>"},
)
