"""LLaVA-NeXT-Video: `<video>` in LLaVA-1.5's turns. vLLM serves its videos, not its images.

See the model card of llava-hf/LLaVA-NeXT-Video-7B-hf.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="llava-next-video",
    model_types=frozenset({"llava_next_video"}),
    placeholders={Modality.VIDEO: "<video>"},
)
