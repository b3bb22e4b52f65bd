"""Growing token ids to text, for many answers over one long-lived StreamDecode call.

All appends of a turn travel in columns, and so do their texts: what a step costs is then mostly
what waking up those who wait costs.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

from service.domain.tokens import StreamText
from service.errors import InvalidRequestError, TokenizerUnavailableError, TriptychError
from service.tokenizer.call_keeper import CallKeeper
from service.tokenizer.sidecar_errors import failure_of
from service.tokenizer.turn_call import TurnCall
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

_Waiter = asyncio.Future[StreamText]


@dataclass(slots=True)
class _Turn:
    """The columns of one message, and who waits for each append and close."""

    opens: list[pb.StreamOperation] = field(default_factory=list)
    stream_ids: list[int] = field(default_factory=list)
    token_ids: list[Sequence[int]] = field(default_factory=list)
    append_waiters: list[_Waiter] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    close_waiters: list[_Waiter] = field(default_factory=list)


class DecodeCall(TurnCall[_Turn]):
    """One StreamDecode call and its streams, which die with it.

    `turn` is what the next message will carry; a stream adds to it behind `begin_turn`.
    """

    method = "/triptych.sidecar.v1.TokenizerService/StreamDecode"

    def __init__(self) -> None:
        """Prepare; must be called inside the event loop."""
        super().__init__()
        self._next_stream_id = 1
        self._nobody: _Waiter = self.loop.create_future()  # waits for nothing
        self._nobody.cancel()
        self.turn = _Turn()

    def open(self, options: pb.OpenStream) -> int:
        """Open a stream and return its id. Sent together with its first ids."""
        stream_id = self._next_stream_id
        self._next_stream_id += 1
        self.begin_turn()
        self.turn.opens.append(pb.StreamOperation(stream_id=stream_id, open=options))
        return stream_id

    def finish(self, stream_id: int) -> _Waiter:
        """Close the stream; return what will be the text that was held back."""
        waiter: _Waiter = self.loop.create_future()
        self._close(stream_id, waiter)
        return waiter

    def abandon(self, stream_id: int) -> None:
        """Close the stream; nobody waits for what was held back."""
        if self.is_alive:
            self._close(stream_id, self._nobody)

    def _close(self, stream_id: int, waiter: _Waiter) -> None:
        self.begin_turn()
        self.turn.closes.append(stream_id)
        self.turn.close_waiters.append(waiter)

    def _take_turn(self) -> tuple[_Turn, bytes]:
        turn = self.turn
        self.turn = _Turn()
        try:
            return turn, _message_of(turn)
        except (TypeError, ValueError):
            _refuse_appends(turn)
            return turn, _message_of(turn)

    def _resolve(self, turn: _Turn, message: bytes) -> None:
        response = pb.StreamDecodeResponse.FromString(message)
        texts = response.texts
        waiters = self._futures_of(turn)
        counts = itertools.chain(map(len, turn.token_ids), itertools.repeat(0, len(turn.closes)))
        results = list(map(StreamText, texts.pieces[:], itertools.repeat(None), counts))
        for stop in texts.stops:
            stopped = StreamText(results[stop.index].text, stop.stop_index, stop.tokens_used)
            results[stop.index] = stopped
        for index, failure in _failures(turn, response).items():
            if not waiters[index].done():
                waiters[index].set_exception(failure)
        for waiter, result in zip(waiters, results, strict=True):
            if not waiter.done():  # else nobody waits, or it has failed
                waiter.set_result(result)

    def _futures_of(self, turn: _Turn) -> list[_Waiter]:
        return turn.append_waiters + turn.close_waiters


class SidecarTokenStream:
    """One stream among the many of a DecodeCall; it is opened by the first append."""

    def __init__(self, calls: CallKeeper[DecodeCall], options: pb.OpenStream) -> None:
        """Prepare; nothing is sent."""
        self._calls = calls
        self._options = options
        self._call: DecodeCall | None = None  # None: not opened yet, or ended
        self._stream_id = 0
        self._has_ended = False

    def append(self, token_ids: Sequence[int]) -> Awaitable[StreamText]:
        """Add ids, which must not change before the text is there; return what will be the text."""
        call = self._call
        if call is None:
            return self._open_and_append(token_ids)
        # No method of the call's: for every token of every answer another call of Python's counts.
        if not call.has_turn:
            call.begin_turn()
        turn = call.turn
        waiter: _Waiter = asyncio.Future(loop=call.loop)
        turn.stream_ids.append(self._stream_id)
        turn.token_ids.append(token_ids)
        turn.append_waiters.append(waiter)
        return waiter

    async def flush(self) -> StreamText:
        """End the stream; return what was held back."""
        self._reject_ended()
        call, self._call = self._call, None
        self._has_ended = True
        return StreamText("") if call is None else await call.finish(self._stream_id)

    def close(self) -> None:
        """Forget the stream without flushing."""
        if self._call is not None:
            self._call.abandon(self._stream_id)
        self._call = None
        self._has_ended = True

    async def _open_and_append(self, token_ids: Sequence[int]) -> StreamText:
        self._reject_ended()
        call = await self._calls.current()
        self._stream_id = call.open(self._options)
        self._call = call
        return await self.append(token_ids)

    def _reject_ended(self) -> None:
        if self._has_ended:
            raise RuntimeError("the token stream has ended")


def _message_of(turn: _Turn) -> bytes:
    """Return the turn's request; raise TypeError or ValueError where a token id can be none."""
    request = pb.StreamDecodeRequest(operations=turn.opens, closes=turn.closes)
    if turn.stream_ids:
        appends = request.appends
        appends.stream_ids.extend(turn.stream_ids)
        counts = list(map(len, turn.token_ids))
        if counts.count(1) < len(counts):
            appends.token_counts.extend(counts)
        appends.token_ids.extend(itertools.chain.from_iterable(turn.token_ids))
    return request.SerializeToString()


def _refuse_appends(turn: _Turn) -> None:
    """Take out of the turn the appends that hold what can be no token id; they fail."""
    failures = [_failure_of_ids(token_ids) for token_ids in turn.token_ids]
    for waiter, failure in zip(turn.append_waiters, failures, strict=True):
        if failure is not None and not waiter.done():
            waiter.set_exception(failure)
    is_good = [failure is None for failure in failures]
    turn.stream_ids = list(itertools.compress(turn.stream_ids, is_good))
    turn.token_ids = list(itertools.compress(turn.token_ids, is_good))
    turn.append_waiters = list(itertools.compress(turn.append_waiters, is_good))


def _failure_of_ids(token_ids: Sequence[int]) -> InvalidRequestError | None:
    taken = pb.AppendColumns().token_ids
    try:
        for token_id in token_ids:  # one by one: `extend` does not tell which it did not take
            taken.append(token_id)
    except (TypeError, ValueError) as exc:
        return InvalidRequestError(f"token_ids[{len(taken)}]", f"not a token id: {exc}")
    return None


def _failures(turn: _Turn, response: pb.StreamDecodeResponse) -> dict[int, TriptychError]:
    """Return the failed appends and closes; one on a stream that could not open has its reason."""
    found = response.texts.failures
    if not found:
        return {}
    streams = [*turn.stream_ids, *turn.closes]
    unopened = {
        operation.stream_id: TokenizerUnavailableError(
            f"the tokenizer sidecar cannot open a stream: {result.failure.message}"
        )
        for operation, result in zip(turn.opens, response.results, strict=True)
        if result.HasField("failure")
    }
    return {at.index: unopened.get(streams[at.index]) or failure_of(at.failure) for at in found}
