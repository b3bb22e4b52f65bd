"""The model families whose prompts are known and proved; one file each."""

from __future__ import annotations

from service.prompt.formats import qwen2_5_omni, qwen_vl
from service.prompt.formats.family import Family

FAMILIES: tuple[Family, ...] = (qwen2_5_omni.FAMILY, qwen_vl.FAMILY)


def find_family(model_type: str, vision_type: str = "") -> Family | None:
    """Return the family that has these `model_type`s in config.json and its `vision_config`."""
    for family in FAMILIES:
        if model_type in family.model_types and (
            not family.vision_types or vision_type in family.vision_types
        ):
            return family
    return None


def find_format(name: str) -> Family | None:
    """Return the family that has this name."""
    return next((family for family in FAMILIES if family.name == name), None)
