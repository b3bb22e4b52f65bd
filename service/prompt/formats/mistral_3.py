"""Mistral 3: `[IMG]` for an image.

See the model card of mistralai/Mistral-Small-3.1-24B-Instruct-2503.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="mistral-3",
    model_types=frozenset({"mistral3"}),
    placeholders={Modality.IMAGE: "[IMG]"},
)
