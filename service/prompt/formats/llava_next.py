"""LLaVA-NeXT: `<image>` in the turns of whatever text model it is built on.

Mistral's, Vicuna's and ChatML turns share one class, and Granite Vision has it too, so only the
checkpoint's own template tells them; see the model card of llava-hf/llava-v1.6-mistral-7b-hf.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="llava-next",
    model_types=frozenset({"llava_next"}),
    placeholders={Modality.IMAGE: "<image>"},
)
