"""The reader of CTranslate2's files, on small ones that the tests write."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.real.ctranslate2_file import read_variables

TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def written(path: Path, variables: Mapping[str, NDArray], version: int = 6) -> Path:
    """Write a file with these variables and one alias."""
    parts = [struct.pack("<I", version), string("WhisperSpec"), struct.pack("<I", 3)]
    parts.append(struct.pack("<I", len(variables)))
    for name, value in variables.items():
        kind = TYPES[value.dtype.name]
        parts += [string(name), struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)]
        parts += [struct.pack("<BI", kind, value.nbytes), value.tobytes()]
    parts += [struct.pack("<I", 1), string("projection"), string("embeddings")]
    path.write_bytes(b"".join(parts))
    return path


def string(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data


def test_variables_are_those_written(tmp_path: Path) -> None:
    """Names, shapes, types and numbers; an alias is none of them."""
    wanted = {
        "decoder/embeddings/weight": np.arange(6, dtype=np.float16).reshape(2, 3),
        "decoder/layer_norm/beta": np.array([0.5, -2], dtype=np.float32),
        "decoder/num_heads": np.array(6, dtype=np.int16),
    }

    found = read_variables(written(tmp_path / "model.bin", wanted))

    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


def test_quantized_weights_are_refused(tmp_path: Path) -> None:
    """They would need their scales."""
    file = written(tmp_path / "model.bin", {"linear/weight": np.ones((2, 2), dtype=np.int8)})

    with pytest.raises(ValueError, match="quantized: linear/weight"):
        read_variables(file)


@pytest.mark.parametrize("version", [5, 7])
def test_other_versions_are_refused(tmp_path: Path, version: int) -> None:
    """What they hold is not known here."""
    file = written(tmp_path / "model.bin", {}, version)

    with pytest.raises(ValueError, match=f"version {version}"):
        read_variables(file)


def test_a_longer_file_is_refused(tmp_path: Path) -> None:
    """A reader that is out of step shows here."""
    file = written(tmp_path / "model.bin", {})
    file.write_bytes(file.read_bytes() + b"\0")

    with pytest.raises(ValueError, match="behind its end"):
        read_variables(file)
