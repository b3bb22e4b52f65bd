"""The long-lived call that is alive, opened anew when the sidecar was away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from service.tokenizer.turn_call import TurnCall

_Call = TypeVar("_Call", bound=TurnCall[Any])


class CallKeeper(Generic[_Call]):
    """Hands out one call to all who ask, for as long as it lives. Belongs to one event loop."""

    def __init__(self, make: Callable[[], _Call], socket: Path, timeout_s: float) -> None:
        """Prepare; nothing is sent. Connecting to `socket` may take `timeout_s`."""
        self._make = make
        self._socket = socket
        self._timeout_s = timeout_s
        self._call: _Call | None = None
        self._connecting: asyncio.Task[_Call] | None = None  # one for all who wait

    async def current(self) -> _Call:
        """Return the call; raise TokenizerUnavailableError when nobody can be reached."""
        if self._call is not None and self._call.is_alive:
            return self._call
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect(), name="sidecar connection")
        # Shielded: when one who waits gives up, the others still want it.
        return await asyncio.shield(self._connecting)

    def close(self) -> None:
        """End the call; who waits on it, fails."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._call is not None:
            self._call.close()

    async def _connect(self) -> _Call:
        call = self._make()
        await call.connect(self._socket, self._timeout_s)
        self._call = call
        return call
