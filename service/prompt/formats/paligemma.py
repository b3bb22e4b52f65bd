"""PaliGemma: the task alone, such as `caption en`; the processor puts the image in front.

Its checkpoints ship no template; see the model card of google/paligemma-3b-mix-224.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="paligemma",
    model_types=frozenset({"paligemma"}),
    placeholders={},
    unwritten=frozenset({Modality.IMAGE}),
    default_template="{% for m in messages %}{{ m.content }}{% endfor %}",
)
