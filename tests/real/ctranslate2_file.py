"""CTranslate2's model.bin, read into numpy arrays.

All numbers are little-endian. A string is its length in bytes with the final NUL (uint16) and the
bytes. The file holds, in this order:

    version (uint32, here 6), name of the specification (string), its revision (uint32)
    number of variables (uint32); for each: name (string), rank (uint8), each dimension (uint32),
        data type (uint8), size in bytes (uint32), data
    number of aliases (uint32); for each: name (string), name of the variable it stands for (string)

Quantized files, whose int8 weights have scales beside them, are refused.
Source: python/ctranslate2/specs/model_spec.py, `_serialize`, of CTranslate2 4.

Tested by test_ctranslate2_file.py.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_VERSION = 6
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_variables(path: Path) -> dict[str, NDArray]:
    """Return the variables by name; an alias is left out. Raises ValueError for other files."""
    with path.open("rb") as file:
        (version,) = _unpack(file, "<I")
        if version != _VERSION:
            raise ValueError(f"{path} has version {version}; this reads {_VERSION}")
        _string(file)
        _, count = _unpack(file, "<II")
        variables = dict(_variable(file) for _ in range(count))
        for _ in range(_unpack(file, "<I")[0]):
            _string(file), _string(file)
        if file.read(1):
            raise ValueError(f"{path} goes on behind its end")
    quantized = [
        name for name, value in variables.items() if value.ndim and value.dtype.kind == "i"
    ]
    if quantized:
        raise ValueError(f"{path} is quantized: {quantized[0]}")
    return variables


def _variable(file: BinaryIO) -> tuple[str, NDArray]:
    name = _string(file)
    (rank,) = _unpack(file, "<B")
    shape = _unpack(file, f"<{rank}I")
    data_type, size_bytes = _unpack(file, "<BI")
    return name, np.frombuffer(file.read(size_bytes), _TYPES[data_type]).reshape(shape)


def _string(file: BinaryIO) -> str:
    (size,) = _unpack(file, "<H")
    return file.read(size)[:-1].decode()


def _unpack(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
