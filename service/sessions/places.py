"""How many sessions there are at once: one that only waits costs its texts and its media's memory.

Tested by tests/unit/sessions/test_places.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from service.errors import OverloadedError
from service.telemetry.metrics import REQUESTS_REFUSED


class SessionPlaces:
    """A number of places, of which a caller that is told apart from others may hold half."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held = Counter[str]()

    @contextmanager
    def taken(self, caller: str) -> Iterator[None]:
        """Hold a place while the block runs; raises OverloadedError. `caller` "" is anybody."""
        self._check("max_sessions", self._count, self._held.total() + 1)
        if caller:
            half = -(-self._count // 2)
            self._check("max_sessions_of_a_caller", half, self._held[caller] + 1)
        self._held[caller] += 1
        try:
            yield
        finally:
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]

    def _check(self, limit: str, limit_value: int, actual: int) -> None:
        if actual > limit_value:
            REQUESTS_REFUSED.labels(limit).inc()
            raise OverloadedError(limit, limit_value, actual)
