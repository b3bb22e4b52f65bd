"""LLaVA-OneVision: `<image>` and `<video>` in ChatML turns, images first, then videos, then text.

See the model card of llava-hf/llava-onevision-qwen2-0.5b-ov-hf.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="llava-onevision",
    model_types=frozenset({"llava_onevision"}),
    placeholders={Modality.IMAGE: "<image>", Modality.VIDEO: "<video>"},
    order=(Modality.IMAGE, Modality.VIDEO),
)
