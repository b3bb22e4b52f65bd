"""One fetch that several requests wait for.

Whoever waits, and whoever has got the medium and not closed it, holds the flight. The last one who
lets go ends it: the fetch, when it still runs, or the bytes it has brought. So a request that is
cancelled does not take the medium from the others, and equal URLs are paid for once.

Each gets a descriptor of its own, opened and not duplicated: duplicates share one position, and two
readers would take the bytes from each other.
"""

from __future__ import annotations

import asyncio
import os

from service.errors import ShuttingDownError
from service.media.encoded import EncodedMedia


class Flight:
    """A running fetch and its holders. Belongs to one event loop."""

    def __init__(self, task: asyncio.Task[EncodedMedia]) -> None:
        self._task = task
        self._holders = 0

    @property
    def can_be_joined(self) -> bool:
        """Whether it runs and somebody waits for it: nobody may join what is being cancelled."""
        return self._holders > 0 and not self._task.done()

    async def join(self) -> EncodedMedia:
        """Wait for the medium; raises what the fetch raised, or ShuttingDownError."""
        self._holders += 1
        try:
            await asyncio.wait([self._task])
            return _Share(self._result(), self)
        except BaseException:
            self.let_go()
            raise

    def let_go(self) -> None:
        """Hold it no longer."""
        self._holders -= 1
        if self._holders:
            return
        if self._task.done():
            _close_result(self._task)
        else:
            self._task.cancel()
            # The fetch may have ended well in the meantime.
            self._task.add_done_callback(_close_result)

    def _result(self) -> EncodedMedia:
        if self._task.cancelled():
            # Not by its holders: this one still holds it.
            raise ShuttingDownError("the server stops")
        return self._task.result()


class _Share(EncodedMedia):
    """The medium for one of the holders; the budget is paid by the flight."""

    def __init__(self, whole: EncodedMedia, flight: Flight) -> None:
        fd = os.open(f"/proc/self/fd/{whole.fd}", os.O_RDONLY | os.O_CLOEXEC)
        super().__init__(fd, whole.size_bytes, whole.sha256)
        self._flight: Flight | None = flight

    def close(self) -> None:
        """Give it back. Harmless a second time."""
        super().close()
        flight, self._flight = self._flight, None
        if flight is not None:
            flight.let_go()


def _close_result(task: asyncio.Task[EncodedMedia]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
