"""InternVL: `<image>` and `<video>` in its own form, `<IMG_CONTEXT>` in that of Hugging Face.

See the model cards of OpenGVLab/InternVL3-1B and OpenGVLab/InternVL3-1B-hf.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

OWN = Family(
    name="internvl",
    model_types=frozenset({"internvl_chat"}),
    placeholders={Modality.IMAGE: "<image>", Modality.VIDEO: "<video>"},
)
HUGGING_FACE = Family(
    name="internvl-hf",
    model_types=frozenset({"internvl"}),
    placeholders={Modality.IMAGE: "<IMG_CONTEXT>", Modality.VIDEO: "<video>"},
)
