"""Qwen3-Omni (its thinker). Qwen3-VL's markers, and for audio some of its own.

See the model card of Qwen/Qwen3-Omni-30B-A3B-Instruct.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="qwen3-omni",
    model_types=frozenset({"qwen3_omni_moe", "qwen3_omni_moe_thinker"}),
    placeholders={
        Modality.IMAGE: "<|image_pad|>",
        Modality.AUDIO: "<|audio_pad|>",
        Modality.VIDEO: "<|video_pad|>",
    },
    strings={
        Modality.IMAGE: "<|vision_start|><|image_pad|><|vision_end|>",
        Modality.AUDIO: "<|audio_start|><|audio_pad|><|audio_end|>",
        Modality.VIDEO: "<|vision_start|><|video_pad|><|vision_end|>",
    },
)
