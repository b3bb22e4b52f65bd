"""Phi-4-multimodal: `<|image_1|>` and `<|audio_1|>`, numbered per kind.

See the model card of microsoft/Phi-4-multimodal-instruct.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="phi-4-multimodal",
    model_types=frozenset({"phi4mm"}),
    placeholders={Modality.IMAGE: "<|image_{number}|>", Modality.AUDIO: "<|audio_{number}|>"},
)
