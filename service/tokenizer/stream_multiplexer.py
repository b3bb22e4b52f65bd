"""Many token streams over one long-lived call.

A server that streams a hundred answers appends a hundred times in one turn of its event loop. All
operations of a turn become one message, and so do their results:

    turn 1   append(1), append(2), append(3)  ->  one StreamDecodeRequest with 3 operations
    turn 2   ...                              <-  one StreamDecodeResponse with 3 results

The first operation of a turn asks the loop to send at the turn's end (`call_soon`). Responses come
in the order of the requests, so results find their waiters by counting.

Tested by tests/unit/tokenizer/test_stream_multiplexer.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import grpc

from service.errors import TokenizerUnavailableError, TriptychError
from service.tokenizer.sidecar_errors import to_triptych_error
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}

_Call = grpc.aio.StreamStreamCall[pb.StreamDecodeRequest, pb.StreamDecodeResponse]


class StreamMultiplexer:
    """Hands out the call that is alive; opens a new one when the sidecar was away."""

    def __init__(
        self,
        stub: pb_grpc.TokenizerServiceAsyncStub,
        wait_until_connected: Callable[[], Awaitable[None]],
    ) -> None:
        """Prepare; nothing is sent."""
        self._stub = stub
        self._wait_until_connected = wait_until_connected
        self._call: DecodeCall | None = None

    async def current_call(self) -> DecodeCall:
        """Return the call on which to open streams; raise TokenizerUnavailableError."""
        if self._call is None or not self._call.is_alive:
            await self._wait_until_connected()
        # Looked at again: another task may have opened it while we waited.
        if self._call is None or not self._call.is_alive:
            self._call = DecodeCall(self._stub.StreamDecode(None))
        return self._call

    async def close(self) -> None:
        """End the call; operations that wait fail."""
        if self._call is not None:
            await self._call.close()


class DecodeCall:
    """One StreamDecode call and its streams. A call that died stays dead, and so do its streams."""

    def __init__(self, call: _Call) -> None:
        """Take over `call` and begin to read and write."""
        self._call = call
        self._next_stream_id = 1
        self._turn: list[tuple[pb.StreamOperation, asyncio.Future[str]]] = []
        self._outgoing: asyncio.Queue[pb.StreamDecodeRequest] = asyncio.Queue()
        self._waiting: deque[list[asyncio.Future[str]]] = deque()  # one list for each request
        self._failure: TriptychError | None = None
        self._loop = asyncio.get_running_loop()
        self._tasks = (
            self._loop.create_task(self._until_failure(self._write()), name="sidecar writer"),
            self._loop.create_task(self._until_failure(self._read()), name="sidecar reader"),
        )

    @property
    def is_alive(self) -> bool:
        """Whether streams can still be opened."""
        return self._failure is None

    def open(self, *, skip_special_tokens: bool) -> int:
        """Open a stream and return its id. Sent together with its first ids."""
        stream_id = self._next_stream_id
        self._next_stream_id += 1
        options = pb.OpenStream(skip_special_tokens=skip_special_tokens)
        self._enqueue(pb.StreamOperation(stream_id=stream_id, open=options))
        return stream_id

    async def append(self, stream_id: int, tokens: pb.AppendTokens) -> str:
        """Append ids; return the text that is now certain."""
        return await self._enqueue(pb.StreamOperation(stream_id=stream_id, append=tokens))

    async def finish(self, stream_id: int) -> str:
        """Close the stream; return what was held back."""
        return await self._enqueue(_close_operation(stream_id))

    def abandon(self, stream_id: int) -> None:
        """Close the stream; nobody waits for what was held back."""
        self._enqueue(_close_operation(stream_id))

    async def close(self) -> None:
        """End the call; operations that wait fail."""
        self._fail(TokenizerUnavailableError("the tokenizer client was closed"))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _enqueue(self, operation: pb.StreamOperation) -> asyncio.Future[str]:
        future: asyncio.Future[str] = self._loop.create_future()
        # Results that nobody waits for (open, abandon) must not be reported as lost exceptions.
        future.add_done_callback(_retrieve)
        if self._failure is not None:
            future.set_exception(self._failure)
            return future
        if not self._turn:
            self._loop.call_soon(self._end_turn)
        self._turn.append((operation, future))
        return future

    def _end_turn(self) -> None:
        """Send what the turn gathered."""
        if self._failure is not None or not self._turn:
            return
        operations, futures = zip(*self._turn, strict=True)
        self._turn.clear()
        self._waiting.append(list(futures))
        self._outgoing.put_nowait(pb.StreamDecodeRequest(operations=operations))

    async def _write(self) -> None:
        while True:
            await self._call.write(await self._outgoing.get())

    async def _read(self) -> None:
        async for response in self._call:
            futures = self._waiting.popleft()
            for future, result in zip(futures, response.results, strict=True):
                _resolve(future, result)
        # The sidecar ended the call in order: it drains.
        raise TokenizerUnavailableError("the tokenizer sidecar is shutting down")

    async def _until_failure(self, work: Awaitable[None]) -> None:
        try:
            await work
        except TriptychError as exc:
            self._fail(exc)
        except grpc.aio.AioRpcError as exc:
            self._fail(to_triptych_error(exc.code(), exc.details() or ""))
        except asyncio.InvalidStateError as exc:  # written to after the call ended
            self._fail(TokenizerUnavailableError(f"the tokenizer sidecar is away: {exc}"))

    def _fail(self, failure: TriptychError) -> None:
        """Fail everything that waits, once."""
        if self._failure is not None:
            return
        self._failure = failure
        self._call.cancel()
        in_turn = [future for _, future in self._turn]
        for future in [*in_turn, *(future for futures in self._waiting for future in futures)]:
            if not future.done():
                future.set_exception(failure)
        self._turn.clear()
        self._waiting.clear()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()


def _close_operation(stream_id: int) -> pb.StreamOperation:
    return pb.StreamOperation(stream_id=stream_id, close=pb.CloseStream())


def _resolve(future: asyncio.Future[str], result: pb.StreamResult) -> None:
    if future.done():  # its waiter was cancelled
        return
    if result.HasField("failure"):
        code = _STATUS_CODES.get(result.failure.code, grpc.StatusCode.UNKNOWN)
        future.set_exception(to_triptych_error(code, result.failure.message))
    else:
        future.set_result(result.text)


def _retrieve(future: asyncio.Future[str]) -> None:
    if not future.cancelled():
        future.exception()
