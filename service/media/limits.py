"""Checks of media against their limits: on headers, before anything is decoded."""

from __future__ import annotations

from service.errors import LimitExceededError


def check_limit(field: str, name: str, limit: float, actual: float) -> None:
    """Raise LimitExceededError when `actual` is above `limit`."""
    if actual > limit:
        raise LimitExceededError(field, name, limit, actual)
