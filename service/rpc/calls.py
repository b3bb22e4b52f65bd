"""Counts the calls that run, so that a stopping server knows when all are done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class RunningCalls:
    """A counter that can be waited on. Belongs to one event loop."""

    def __init__(self) -> None:
        self._count = 0
        self._none_runs = asyncio.Event()
        self._none_runs.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one call for as long as the block runs."""
        self._count += 1
        self._none_runs.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._none_runs.set()

    async def wait_until_none(self, timeout_s: float) -> int:
        """Wait until no call runs; return how many still run when the time is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._none_runs.wait(), timeout_s)
        return self._count
