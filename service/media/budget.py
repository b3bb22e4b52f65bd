"""How many bytes of encoded media all running requests hold together."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from service.errors import MediaBudgetExceededError


class ByteBudget:
    """A bound on what is reserved at once. Safe to use from several threads."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._reserved_bytes = 0
        self._lock = threading.Lock()

    @property
    def reserved_bytes(self) -> int:
        """What is reserved at this moment."""
        return self._reserved_bytes

    def open(self, field: str) -> Reservation:
        """Start an empty reservation; `field` is the part that errors name."""
        return Reservation(self, field)

    def _grow(self, field: str, size_bytes: int) -> None:
        with self._lock:
            wanted = self._reserved_bytes + size_bytes
            if wanted > self._limit_bytes:
                raise MediaBudgetExceededError(field, "in_flight_bytes", self._limit_bytes, wanted)
            self._reserved_bytes = wanted

    def _shrink(self, size_bytes: int) -> None:
        with self._lock:
            self._reserved_bytes -= size_bytes


class Reservation:
    """One medium's share of a budget; given back by `close`, or at the end of a `with`.

    Used by one thread at a time.
    """

    def __init__(self, budget: ByteBudget, field: str) -> None:
        self._budget = budget
        self._field = field
        self._size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Reserve more; raises MediaBudgetExceededError, and then reserves nothing more."""
        self._budget._grow(self._field, size_bytes)  # noqa: SLF001 - two halves of one thing
        self._size_bytes += size_bytes

    def close(self) -> None:
        """Give everything back. Harmless a second time."""
        self._budget._shrink(self._size_bytes)  # noqa: SLF001 - two halves of one thing
        self._size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
