"""For the same conversation, the prompt's token ids are those of vLLM's own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.prompt.formats import find_format
from tests.conformance.formats.conftest import Family
from tests.conformance.formats.conversations import CASES
from tests.conformance.formats.families import CHECKPOINTS


def _pairs() -> Iterator[tuple[str, str]]:
    for checkpoint in CHECKPOINTS.values():
        for case in CASES.values():
            if checkpoint.takes(case.modalities):
                yield checkpoint.name, case.name


@pytest.mark.parametrize(("family", "case"), list(_pairs()), indirect=["family"])
def test_the_ids_are_vllms(family: Family, case: str) -> None:
    expected = family.vllm.token_ids(CASES[case])

    assert expected == family.ours.token_ids(CASES[case])


@pytest.mark.parametrize(
    "family",
    [one.name for one in CHECKPOINTS.values() if one.modalities],
    indirect=True,
)
def test_the_family_is_known_by_its_config(family: Family) -> None:
    """Else what is written for its media would not be checked."""
    kinds = family.checkpoint.modalities
    known = find_format(family.ours.renderer.prompt_format.name)

    assert known is not None
    assert kinds <= known.placeholders.keys() | known.unwritten
