"""What happens in one turn of the event loop, as one message of a long-lived call.

A server that streams a hundred answers asks for a hundred texts in one turn of its event loop. They
become one message, and so do the answers:

    turn 1   append(1), append(2), append(3)  ->  one request with 3 appends
    turn 2   ...                              <-  one response with 3 texts

The first that a turn asks for has the loop send at the turn's end (`call_soon`). Responses come in
the order of the requests, so results find their waiters by counting.

Here is what all such calls share; decode_call.py and encode_call.py say what they carry.
Tested by tests/unit/tokenizer/test_sidecar_client.py.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from service.errors import TokenizerUnavailableError, TriptychError
from service.tokenizer.frame_call import FrameCall

_RETRY_S = 0.02
_Turn = TypeVar("_Turn")


class TurnCall(ABC, Generic[_Turn]):
    """One call and all who wait on it. A call that died stays dead.

    A subclass gathers a `_Turn`, and calls `begin_turn` before it puts anything into it.
    """

    method: ClassVar[str]

    def __init__(self) -> None:
        """Prepare; must be called inside the event loop."""
        self.loop = asyncio.get_running_loop()
        self._call = FrameCall(self._take_message, self._end)  # replaced until one connects
        self._waiting: deque[_Turn] = deque()  # one for each request
        self.has_turn = False
        self._failure: TriptychError | None = None

    async def connect(self, socket: Path, timeout_s: float) -> None:
        """Connect, trying again while there is nobody; raise TokenizerUnavailableError."""
        deadline = self.loop.time() + timeout_s
        while True:
            try:
                self._call = FrameCall(self._take_message, self._end)
                async with asyncio.timeout_at(deadline):
                    await self._call.connect(str(socket), self.method)
            except (OSError, TimeoutError) as exc:
                if self.loop.time() + _RETRY_S >= deadline:
                    raise TokenizerUnavailableError(
                        f"the tokenizer sidecar cannot be reached for {timeout_s:g} s"
                    ) from exc
                await asyncio.sleep(_RETRY_S)
            else:
                return

    @property
    def is_alive(self) -> bool:
        """Whether it can still be asked."""
        return self._failure is None

    def close(self) -> None:
        """End the call; who waits, fails."""
        self._call.close()
        self._fail(TokenizerUnavailableError("the tokenizer client was closed"))

    @abstractmethod
    def _take_turn(self) -> tuple[_Turn, bytes]:
        """Return what was gathered, and its message; begin a new turn."""

    @abstractmethod
    def _resolve(self, turn: _Turn, message: bytes) -> None:
        """Give the results in `message` to those who wait."""

    @abstractmethod
    def _futures_of(self, turn: _Turn) -> Iterable[asyncio.Future[Any]]:
        """Return those who wait."""

    def begin_turn(self) -> None:
        """Begin a turn, unless one has begun; raise the failure of a call that died."""
        if self._failure is not None:
            raise self._failure
        if not self.has_turn:
            self.has_turn = True
            self.loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self.has_turn = False
        turn, message = self._take_turn()
        self._waiting.append(turn)
        if self._failure is not None:
            self._fail_waiting(self._failure)
            return
        self._call.send(message)

    def _take_message(self, message: bytes) -> None:
        # Taken out behind it: where the message is not what it should be, asyncio ends the
        # connection with what was raised here, and all who wait must hear of that.
        self._resolve(self._waiting[0], message)
        self._waiting.popleft()

    def _end(self, reason: str) -> None:
        self._fail(TokenizerUnavailableError(f"the tokenizer sidecar is away: {reason}"))

    def _fail(self, failure: TriptychError) -> None:
        if self._failure is None:
            self._failure = failure
            self._fail_waiting(failure)

    def _fail_waiting(self, failure: TriptychError) -> None:
        while self._waiting:
            for future in self._futures_of(self._waiting.popleft()):
                if not future.done():
                    future.set_exception(failure)
