"""Ends an answer before the model does: for its client who cancels it, or for its deadline.

Whoever wants it ended calls `end`, at any time. Whoever makes the answer waits by `unless_ended`
for everything that may take long: the prompt, and then each step of the engine.
Tested by tests/unit/test_ending.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from service.domain.events import FinishReason

_T = TypeVar("_T")


class Ending:
    """The early end of one answer. Belongs to one event loop; one coroutine waits at a time."""

    def __init__(self) -> None:
        self._reason: FinishReason | None = None
        self._pending: asyncio.Future[Any] | None = None

    @property
    def reason(self) -> FinishReason | None:
        """Why the answer is to end; None while it may go on."""
        return self._reason

    def end(self, reason: FinishReason) -> None:
        """End the answer; the first reason counts. Harmless when the answer has ended."""
        if self._reason is not None:
            return
        self._reason = reason
        if self._pending is not None:
            self._pending.cancel()

    async def unless_ended(self, awaitable: Awaitable[_T]) -> _T | None:
        """Return what it gives, or cancel it and return None when the answer is to end before."""
        pending = asyncio.ensure_future(awaitable)
        self._pending = pending
        if self._reason is not None:
            pending.cancel()
        try:
            return await pending
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._reason is None or (task is not None and task.cancelling()):
                raise
            return None
        finally:
            self._pending = None
