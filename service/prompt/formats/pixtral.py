"""Pixtral: `[IMG]` for an image. Its form for Hugging Face shares LLaVA's `model_type`.

See the model card of mistral-community/pixtral-12b.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="pixtral",
    model_types=frozenset({"llava"}),
    placeholders={Modality.IMAGE: "[IMG]"},
    vision_types=frozenset({"pixtral"}),
)
