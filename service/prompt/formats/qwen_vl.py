"""Qwen2-VL, Qwen2.5-VL, Qwen3-VL and Qwen3.5.

A medium is `<|vision_start|><|image_pad|><|vision_end|>`, with `<|video_pad|>` for video; see
chat_template.json of Qwen/Qwen2-VL-2B-Instruct.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="qwen-vl",
    model_types=frozenset(
        {"qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe"}
    ),
    placeholders={Modality.IMAGE: "<|image_pad|>", Modality.VIDEO: "<|video_pad|>"},
    strings={
        Modality.IMAGE: "<|vision_start|><|image_pad|><|vision_end|>",
        Modality.VIDEO: "<|vision_start|><|video_pad|><|vision_end|>",
    },
)
