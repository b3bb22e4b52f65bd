"""Qwen2.5-Omni (its thinker: text, image, audio and video in, text out).

A medium is `<|vision_bos|><|IMAGE|><|vision_eos|>`, with `<|VIDEO|>` for video, and
`<|audio_bos|><|AUDIO|><|audio_eos|>` for audio; see chat_template.json of Qwen/Qwen2.5-Omni-7B.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="qwen2.5-omni",
    model_types=frozenset({"qwen2_5_omni", "qwen2_5_omni_thinker"}),
    placeholders={
        Modality.IMAGE: "<|IMAGE|>",
        Modality.AUDIO: "<|AUDIO|>",
        Modality.VIDEO: "<|VIDEO|>",
    },
    strings={
        Modality.IMAGE: "<|vision_bos|><|IMAGE|><|vision_eos|>",
        Modality.AUDIO: "<|audio_bos|><|AUDIO|><|audio_eos|>",
        Modality.VIDEO: "<|vision_bos|><|VIDEO|><|vision_eos|>",
    },
)
