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
    """The early end of one answer. Belongs to one event loop; one task waits at a time."""

    def __init__(self) -> None:
        self._reason: FinishReason | None = None
        self._waiting: asyncio.Task[Any] | None = None

    @property
    def reason(self) -> FinishReason | None:
        """Why the answer is to end; None while it may go on."""
        return self._reason

    def end(self, reason: FinishReason) -> None:
        """End the answer; the first reason counts. Harmless when the answer has ended."""
        if self._reason is not None:
            return
        self._reason = reason
        if self._waiting is not None:
            self._waiting.cancel()

    async def unless_ended(self, awaitable: Awaitable[_T]) -> _T | None:
        """Return what it gives, or cancel it and return None when the answer is to end before.

        It is waited for in the task of the caller, for one more at each step of an answer would
        cost more than the step's text does.
        """
        if self._reason is not None:
            unwanted = asyncio.ensure_future(awaitable)
            unwanted.cancel()
            await asyncio.wait((unwanted,))
            return None
        task = asyncio.current_task()
        outer, self._waiting = self._waiting, task
        try:
            return await awaitable
        except asyncio.CancelledError:
            # As asyncio.timeout does it: whoever else cancelled the task is not to be forgotten.
            if self._reason is None or task is None or task.uncancel():
                raise
            return None
        finally:
            self._waiting = outer
