"""Types of flags that are numbers with bounds; a wrong one is told by argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def count_from(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return the type of a whole number, `low` and up, at most `high` if that is given."""

    def count(text: str) -> int:
        number = int(text)
        if number < low:
            raise argparse.ArgumentTypeError(f"must be at least {low}, got {text}")
        if high is not None and number > high:
            raise argparse.ArgumentTypeError(f"must be at most {high}, got {text}")
        return number

    return count


def not_negative(text: str) -> float:
    """Return a number, 0 and up."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be at least 0, got {text}")
    return number


def positive(text: str) -> float:
    """Return a number above 0."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return number
