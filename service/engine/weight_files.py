"""How large a checkpoint's weights are, read from the headers of its safetensors files.

A header is a length of 8 bytes and JSON with the place of each tensor
(https://github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_LENGTH = struct.Struct("<Q")
_MAX_HEADER_BYTES = 100 << 20  # that of the format
# Parts of tensors' names, in the checkpoints of the families that vLLM serves.
_ENCODER_NAMES = ("vision", "visual", "image", "audio", "speech", "encoder", "mm_projector")


class WeightBytes(NamedTuple):
    """All weights, and those of the encoders of media."""

    total: int
    encoders: int


def measure_weights(directory: Path, *, float32_bytes: int = 4) -> WeightBytes:
    """Add up a checkpoint's tensors; zeros where it has no safetensors, or damaged ones.

    `float32_bytes` is what a 32-bit number takes once it is loaded, which may be less. Where there
    are files in Mistral's own format, vLLM loads those; others beside them have the same tensors.
    """
    total = encoders = 0
    paths = [*directory.glob("consolidated*.safetensors")] or [*directory.glob("*.safetensors")]
    for path in sorted(paths):
        for name, dtype, stored_bytes in _tensors(path):
            is_cast = dtype == "F32"
            size_bytes = stored_bytes * float32_bytes // 4 if is_cast else stored_bytes
            total += size_bytes
            if any(part in name for part in _ENCODER_NAMES):
                encoders += size_bytes
    return WeightBytes(total, encoders)


def _tensors(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield the name, the type (such as `BF16`) and the size of each."""
    try:
        with path.open("rb") as file:
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            header: dict[str, Any] = json.loads(file.read(min(length, _MAX_HEADER_BYTES)))
    except (OSError, ValueError, struct.error):
        return
    for name, tensor in header.items():
        if name != "__metadata__":
            start, end = tensor["data_offsets"]
            yield name, tensor["dtype"], end - start
