"""Checks of media against their limits: on headers, before anything is decoded."""

from __future__ import annotations

from service.errors import LimitExceededError

# Seconds are sums of floats: 1.2 s in frames of 0.1 s are 1.2000000000000002.
_DECIMALS = 9


def check_limit(field: str, name: str, limit: float, actual: float) -> None:
    """Raise LimitExceededError when `actual` is above `limit`; integers are compared exactly."""
    actual = round(actual, _DECIMALS)
    if actual > round(limit, _DECIMALS):
        raise LimitExceededError(field, name, limit, actual)
