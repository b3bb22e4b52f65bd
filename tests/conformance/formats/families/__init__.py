"""A tiny checkpoint of each family."""

from __future__ import annotations

from tests.conformance.formats.checkpoints import Checkpoint
from tests.conformance.formats.families import (
    gemma,
    idefics,
    internvl,
    llava,
    mistral,
    qwen_vl,
    text,
)

_MODULES = (text, llava, qwen_vl, gemma, mistral, idefics, internvl)
CHECKPOINTS: dict[str, Checkpoint] = {
    checkpoint.name: checkpoint for module in _MODULES for checkpoint in module.CHECKPOINTS
}
