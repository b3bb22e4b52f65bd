"""Conversations of several turns on one call, for both clients.

A turn's answer is read as any other: by the `Generation` of the plain client, or its twin. Here is
what stands for their call: the turn's share of the session's stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import grpc

from triptych.v1 import generation_service_pb2
from triptych_client._requests import part_to_proto
from triptych_client._server_status import ServerStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from typing import Self, TypeAlias

    from triptych_client._async_client import AsyncGeneration
    from triptych_client._client import Generation
    from triptych_client._prompt import Audio, Image, Part, Video

    _Message: TypeAlias = generation_service_pb2.ConverseRequest
    _Response: TypeAlias = generation_service_pb2.GenerateResponse

# As many bytes as the server takes of a medium in one message.
_PIECE_BYTES = 1 << 20


def turn_messages(parts: Iterable[Part]) -> Iterator[_Message]:
    """Say a whole turn; local files are read here."""
    for part in parts:
        yield generation_service_pb2.ConverseRequest(part=part_to_proto(part))
    yield generation_service_pb2.ConverseRequest(commit=generation_service_pb2.Commit())


def begin_message(medium: Image | Audio | Video) -> _Message:
    """Begin a medium that comes in pieces."""
    return generation_service_pb2.ConverseRequest(begin_part=part_to_proto(medium))


def piece_messages(data: bytes) -> Iterator[_Message]:
    """Say more bytes, in as many messages as they take."""
    for start in range(0, len(data), _PIECE_BYTES):
        piece = bytes(data[start : start + _PIECE_BYTES])
        yield generation_service_pb2.ConverseRequest(chunk=piece)


def end_message() -> _Message:
    """Complete the medium that was begun."""
    return generation_service_pb2.ConverseRequest(end_part=generation_service_pb2.EndPart())


def cancel_message() -> _Message:
    """Stop the answer that runs."""
    return generation_service_pb2.ConverseRequest(cancel=generation_service_pb2.Cancel())


class _Turn:
    """One turn's share of a session's stream, as a call of `Generation`'s."""

    def __init__(self, session: Session, index: int) -> None:
        self._session = session
        self._index = index
        self._is_over = False

    def __iter__(self) -> Iterator[_Response]:
        for response in self._session.responses:
            if response.turn_index == self._index:  # what was not read of others is skipped
                self._is_over = response.event.HasField("completed")
                yield response.event
                if self._is_over:
                    return

    def cancel(self) -> None:
        """Have the answer ended; reading on gives its end."""
        if not self._is_over:
            self._session.put(cancel_message())


class Session:
    """A conversation of several turns. Thread-compatible: one thread says and reads.

    Raises SessionEndedError, while an answer is read, when the server's time for it is over.
    """

    def __init__(
        self,
        config: _Message,
        begin_call: Callable[[Iterator[_Message]], Any],
        generation: Callable[[Any], Generation],
    ) -> None:
        """Begin the call."""
        self._messages: SimpleQueue[_Message | None] = SimpleQueue()
        self._generation = generation
        self._turns = 0
        self.put(config)
        self._call = begin_call(iter(self._messages.get, None))
        self.responses = iter(self._call)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the session, and the answer that runs."""
        self.close()

    def say(self, *parts: Part) -> Generation:
        """Say a turn, with what was recorded for it, and return its answer while it is made.

        An answer is read before the next one; what was not read of it is skipped. Its `cancel`
        ends it early: what was said until then stays in the conversation.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        for message in list(turn_messages(parts)):
            self.put(message)
        self._turns += 1
        return self._generation(_Turn(self, self._turns - 1))

    def record(self, medium: Image | Audio | Video, pieces: Iterable[bytes]) -> None:
        """Add a medium to the next turn while it is made: `Audio(data=b"")`, then its bytes."""
        self.put(begin_message(medium))
        for data in pieces:
            for message in piece_messages(data):
                self.put(message)
        self.put(end_message())

    def close(self) -> None:
        """End the session, and the answer that runs. Harmless a second time."""
        self._messages.put(None)
        self._call.cancel()

    def put(self, message: _Message) -> None:
        """Send a message, after those that wait."""
        self._messages.put(message)


class _AsyncTurn:
    """One turn's share of a session's stream, as a call of `AsyncGeneration`'s."""

    def __init__(self, session: AsyncSession, messages: list[_Message]) -> None:
        self._session = session
        self._messages = messages
        self._is_over = False
        self._cancelling: asyncio.Future[None] | None = None

    async def __aiter__(self) -> AsyncIterator[_Response]:
        index = await self._session.commit(self._messages)
        async for response in self._session.responses:
            if response.turn_index == index:
                self._is_over = response.event.HasField("completed")
                yield response.event
                if self._is_over:
                    return

    def cancel(self) -> None:
        """Have the answer ended."""
        if not self._is_over:
            self._cancelling = asyncio.ensure_future(self._session.put(cancel_message()))


class AsyncSession:
    """A conversation of several turns, on one event loop; begins with the block of `async with`."""

    def __init__(
        self,
        build_config: Callable[[], _Message],
        begin_call: Callable[[], Any],
        generation: Callable[..., AsyncGeneration],
    ) -> None:
        """Keep what is needed to begin the call."""
        self._build_config = build_config
        self._begin_call = begin_call
        self._generation = generation
        self._turns = 0
        self._call: Any = None
        self.responses: Any = None

    async def __aenter__(self) -> Self:
        """Begin the call."""
        config = await asyncio.to_thread(self._build_config)
        self._call = self._begin_call()
        self.responses = _responses_of(self._call)
        await self.put(config)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the session, and the answer that runs."""
        self._call.cancel()

    def say(self, *parts: Part) -> AsyncGeneration:
        """Say a turn, when its answer is first read, with what was recorded for it.

        An answer is read before the next one; what was not read of it is skipped. Its `cancel`
        ends it early: what was said until then stays in the conversation.
        """
        return self._generation(
            lambda: list(turn_messages(parts)), lambda messages: _AsyncTurn(self, messages)
        )

    async def record(
        self, medium: Image | Audio | Video, pieces: Iterable[bytes] | AsyncIterable[bytes]
    ) -> None:
        """Add a medium to the next turn while it is made: `Audio(data=b"")`, then its bytes."""
        await self.put(begin_message(medium))
        if isinstance(pieces, AsyncIterable):
            async for data in pieces:
                await self._put_all(piece_messages(data))
        else:
            for data in pieces:
                await self._put_all(piece_messages(data))
        await self.put(end_message())

    async def commit(self, messages: Iterable[_Message]) -> int:
        """Send a turn; return its index."""
        await self._put_all(messages)
        self._turns += 1
        return self._turns - 1

    async def put(self, message: _Message) -> None:
        """Send a message. Where the session has ended, reading tells why."""
        with suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            await self._call.write(message)

    async def _put_all(self, messages: Iterable[_Message]) -> None:
        for message in messages:
            await self.put(message)


async def _responses_of(call: Any) -> AsyncIterator[_Response]:
    with ServerStatus(call).raised():
        async for response in call:
            yield response
