"""Writes an answer to a client, for as long as that reads it.

A write waits while the client does not read: nothing is buffered for it but what HTTP/2's windows
hold, the answer's stream is not asked on, and the engine's steps are joined meanwhile. Answers have
thousands of writes, so no timer is made for each: one looks now and then for how long the last has
been waiting, and is set anew by that.

Tested by tests/unit/rpc/test_slow_reader.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Any

import grpc

from service.errors import ReaderStalledError


class AnswerWriter:
    """Writes one answer. A write may wait for `timeout_s`."""

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any], timeout_s: float) -> None:
        self._context = context
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._scope = asyncio.timeout(None)
        self._waits_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def write_all(self, responses: AsyncIterable[Any]) -> None:
        """Write all; raises ReaderStalledError, and whatever the stream raises."""
        try:
            async with self._scope:
                self._look()
                async for response in responses:
                    self._waits_since = self._loop.time()
                    await self._context.write(response)
                    self._waits_since = None
        except TimeoutError:
            if not self._scope.expired():
                raise
            raise ReaderStalledError(self._timeout_s) from None
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        waits_since = now if self._waits_since is None else self._waits_since
        if now - waits_since >= self._timeout_s:
            self._scope.reschedule(now)
        else:
            self._timer = self._loop.call_at(waits_since + self._timeout_s, self._look)
