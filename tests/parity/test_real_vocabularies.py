"""A cut of `make tokenizer-parity`: four real vocabularies of four kinds, 300 texts each."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.parity.comparison import Comparison
from tests.parity.inputs import inputs_for
from tests.parity.real_vocabularies import FetchError, real_vocabularies
from tests.unit.tokenizer.running_sidecar import serve

_TEXTS = 300
# The small ones: the packages of all four together are 25 MB.
_NAMES = ("gpt2", "qwen2.5", "mistral-v0.1", "deepseek-v2")


@pytest.mark.parametrize("name", _NAMES)
def test_real_vocabulary(name: str, tmp_path: Path) -> None:
    """Ids, spans and texts are exactly those of Hugging Face."""
    try:
        path = real_vocabularies()[name].fetch()
    except FetchError as exc:
        warnings.warn(f"NOT TESTED against the real vocabulary {name}: {exc}", stacklevel=1)
        pytest.skip(str(exc))

    with serve(path, tmp_path / "s") as sidecar:
        found = Comparison(sidecar, path).run(inputs_for(sidecar.reference, _TEXTS))

    assert found.compared.total() > 10 * _TEXTS
    assert found.first == [], "\n".join(found.first)
