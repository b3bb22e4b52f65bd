"""Pixtral: `[IMG]` for an image.

Its form for Hugging Face shares LLaVA's `model_type`; see the model card of
mistral-community/pixtral-12b. In Mistral's own format (mistral_common.py) it has one of its own,
and so has Mistral Small 3.1 and what came after it; see mistralai/Pixtral-12B-2409.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats import mistral_common
from service.prompt.formats.family import Family

FAMILY = Family(
    name="pixtral",
    model_types=frozenset({"llava"}),
    placeholders={Modality.IMAGE: "[IMG]"},
    vision_types=frozenset({"pixtral"}),
)
MISTRAL = Family(
    name="pixtral-mistral",
    model_types=frozenset({"pixtral"}),
    placeholders={Modality.IMAGE: "[IMG]"},
    tekken_templates=mistral_common.TEMPLATES,
)
