"""Hostile files get a clear error or a right answer, soon, and with little memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.unit.media.hostile_files import hostile_file, hostile_names
from tests.unit.media.measured_decoding import Measured

# 64 million pixels, the most that is taken, are 192 MB of RGB, and 256 MB in Pillow.
_MOST_BYTES = 600_000_000
# What is refused may have been decoded until it broke off.
_MOST_SECONDS = 10
_NAMES = hostile_names()


@pytest.fixture(scope="module")
def measured() -> dict[str, Measured]:
    """What became of each file, decoded in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.unit.media.measured_decoding"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    return {row.pop("name"): Measured(**row) for row in rows}


def test_there_are_enough_of_them() -> None:
    assert len([name for name in _NAMES if "/10 of " not in name]) >= 60
    assert len(_NAMES) == len(set(_NAMES))


@pytest.mark.parametrize("name", _NAMES)
def test_a_hostile_file_becomes_what_it_should(name: str, measured: dict[str, Measured]) -> None:
    """One of our errors about the part's field, or media; never another error, nor a signal."""
    file, found = hostile_file(name), measured[name]
    assert found.outcome in file.outcomes, found.problem
    # What the header tells is the same, or it seems to be in order.
    assert found.description_outcome in (found.outcome, "decoded")
    assert found.peak_bytes < _MOST_BYTES
    assert found.seconds < _MOST_SECONDS


def test_a_limit_that_the_header_tells_of_is_told_by_a_description(
    measured: dict[str, Measured],
) -> None:
    """Only a length that no header tells is found out by decoding."""
    limits = {name: found for name, found in measured.items() if "_" in found.outcome}
    late = {name for name, found in limits.items() if found.description_outcome == "decoded"}
    assert late == {"flac of 67 minutes that tells no length"}


def test_the_memory_that_each_takes_is_printed(measured: dict[str, Measured]) -> None:
    ranked = sorted(measured.items(), key=lambda item: -item[1].peak_bytes)
    for name, found in ranked[:8]:
        print(f"{found.peak_bytes / 1e6:6.0f} MB {found.seconds:6.2f} s  {name}: {found.outcome}")
    refused = [found.peak_bytes for found in measured.values() if "_" in found.outcome]
    print(f"{max(refused) / 1e6:6.0f} MB at most for a file over a limit")
    assert ranked[0][1].peak_bytes > 0
