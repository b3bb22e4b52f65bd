"""The model families whose prompts are known and proved; one file each."""

from __future__ import annotations

from service.prompt.formats import qwen2_5_omni, qwen_vl
from service.prompt.formats.family import Family

FAMILIES: tuple[Family, ...] = (qwen2_5_omni.FAMILY, qwen_vl.FAMILY)


def find_family(model_type: str) -> Family | None:
    """Return the family that has this `model_type` of config.json."""
    return next((family for family in FAMILIES if model_type in family.model_types), None)
