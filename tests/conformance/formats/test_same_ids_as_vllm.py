"""For the same conversation, the prompt's token ids are those of vLLM's own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
