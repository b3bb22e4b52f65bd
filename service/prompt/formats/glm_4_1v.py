"""GLM-4.1V and GLM-4.5V: `<|image|>` and `<|video|>` between markers of their kind.

See the model card of zai-org/GLM-4.1V-9B-Thinking.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="glm-4.1v",
    model_types=frozenset({"glm4v", "glm4v_moe"}),
    placeholders={Modality.IMAGE: "<|image|>", Modality.VIDEO: "<|video|>"},
    strings={
        Modality.IMAGE: "<|begin_of_image|><|image|><|end_of_image|>",
        Modality.VIDEO: "<|begin_of_video|><|video|><|end_of_video|>",
    },
)
