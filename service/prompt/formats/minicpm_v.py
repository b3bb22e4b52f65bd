"""MiniCPM-V and MiniCPM-o: `(<image>./</image>)`, which is text and no token.

See the model card of openbmb/MiniCPM-V-2_6.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="minicpm-v",
    model_types=frozenset({"minicpmv", "minicpmo"}),
    placeholders={
        Modality.IMAGE: "(<image>./</image>)",
        Modality.AUDIO: "(<audio>./</audio>)",
        Modality.VIDEO: "(<video>./</video>)",
    },
)
