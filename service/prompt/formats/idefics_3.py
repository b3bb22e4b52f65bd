"""Idefics 3 and SmolVLM: `<image>`, and the turn's colon without a space before an image.

Granite Docling has the same class, and turns of its own. See the model cards of
HuggingFaceM4/Idefics3-8B-Llama3 and HuggingFaceTB/SmolVLM-Instruct.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="idefics-3",
    model_types=frozenset({"idefics3", "smolvlm"}),
    placeholders={Modality.IMAGE: "<image>"},
)
