"""A tiny checkpoint of each family."""

from __future__ import annotations

from tests.conformance.formats.checkpoints import Checkpoint
from tests.conformance.formats.families import llava, qwen_vl, text

CHECKPOINTS: dict[str, Checkpoint] = {
    checkpoint.name: checkpoint
    for checkpoint in (*text.CHECKPOINTS, *llava.CHECKPOINTS, *qwen_vl.CHECKPOINTS)
}
