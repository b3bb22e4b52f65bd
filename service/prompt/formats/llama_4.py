"""Llama 4: `<|image|>`.

See the model card of meta-llama/Llama-4-Scout-17B-16E-Instruct.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="llama-4",
    model_types=frozenset({"llama4"}),
    placeholders={Modality.IMAGE: "<|image|>"},
)
