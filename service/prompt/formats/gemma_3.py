"""Gemma 3: `<start_of_image>`, which becomes an image with line breaks around it.

See the model card of google/gemma-3-4b-it.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="gemma-3",
    model_types=frozenset({"gemma3"}),
    placeholders={Modality.IMAGE: "<start_of_image>"},
)
