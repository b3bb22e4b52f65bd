"""Kimi-VL: `<|media_pad|>` between markers, with the word `image`.

See the model card of moonshotai/Kimi-VL-A3B-Instruct.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="kimi-vl",
    model_types=frozenset({"kimi_vl"}),
    placeholders={Modality.IMAGE: "<|media_pad|>"},
    strings={
        Modality.IMAGE: "<|media_start|>image<|media_content|><|media_pad|><|media_end|>",
    },
)
