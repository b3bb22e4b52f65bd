"""Growing token ids to text, for many answers over one long-lived StreamDecode call.

All appends of a turn travel in columns, and so do their texts: what a step costs is then mostly
what waking up those who wait costs.
"""

from __future__ import annotations

import asyncio
import itertools
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from service.domain.tokens import StreamText
from service.errors import InvalidRequestError, TokenizerUnavailableError, TriptychError
from service.tokenizer.sidecar_errors import failure_of
from service.tokenizer.turn_call import TurnCall
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

_Waiter = asyncio.Future[StreamText]


@dataclass(slots=True)
class _Turn:
    """The columns of one message, and who waits for each append and close."""

    opens: list[pb.StreamOperation] = field(default_factory=list)
    stream_ids: list[int] = field(default_factory=list)
    token_counts: list[int] = field(default_factory=list)
    # An array refuses what is no id at the place where it is added, by 4 bytes without sign.
    token_ids: array[int] = field(default_factory=lambda: array("I"))
    append_waiters: list[_Waiter] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    close_waiters: list[_Waiter | None] = field(default_factory=list)  # None: nobody waits


class DecodeCall(TurnCall[_Turn]):
    """One StreamDecode call and its streams, which die with it."""

    method = "/triptych.sidecar.v1.TokenizerService/StreamDecode"

    def __init__(self) -> None:
        """Prepare; must be called inside the event loop."""
        super().__init__()
        self._next_stream_id = 1
        self._turn = _Turn()

    def open(self, options: pb.OpenStream) -> int:
        """Open a stream and return its id. Sent together with its first ids."""
        stream_id = self._next_stream_id
        self._next_stream_id += 1
        self._begin_turn()
        self._turn.opens.append(pb.StreamOperation(stream_id=stream_id, open=options))
        return stream_id

    def append(self, stream_id: int, token_ids: Sequence[int]) -> _Waiter:
        """Append ids; return what will be the text that they make certain."""
        if not self._has_turn:
            self._begin_turn()
        turn = self._turn
        try:
            turn.token_ids.extend(token_ids)
        except (OverflowError, TypeError) as exc:
            size = sum(turn.token_counts)
            index = len(turn.token_ids) - size
            del turn.token_ids[size:]
            raise InvalidRequestError(f"token_ids[{index}]", f"not a token id: {exc}") from exc
        waiter: _Waiter = asyncio.Future(loop=self._loop)
        turn.stream_ids.append(stream_id)
        turn.token_counts.append(len(token_ids))
        turn.append_waiters.append(waiter)
        return waiter

    def finish(self, stream_id: int) -> _Waiter:
        """Close the stream; return what will be the text that was held back."""
        waiter: _Waiter = asyncio.Future(loop=self._loop)
        self._close(stream_id, waiter)
        return waiter

    def abandon(self, stream_id: int) -> None:
        """Close the stream; nobody waits for what was held back."""
        if self.is_alive:
            self._close(stream_id, None)

    def _close(self, stream_id: int, waiter: _Waiter | None) -> None:
        self._begin_turn()
        self._turn.closes.append(stream_id)
        self._turn.close_waiters.append(waiter)

    def _take_turn(self) -> tuple[_Turn, bytes]:
        turn = self._turn
        self._turn = _Turn()
        request = pb.StreamDecodeRequest(operations=turn.opens, closes=turn.closes)
        if turn.stream_ids:
            appends = request.appends
            appends.stream_ids.extend(turn.stream_ids)
            appends.token_counts.extend(turn.token_counts)
            appends.token_ids.extend(turn.token_ids)
        return turn, request.SerializeToString()

    def _resolve(self, turn: _Turn, message: bytes) -> None:
        response = pb.StreamDecodeResponse.FromString(message)
        texts = response.texts
        waiters = [*turn.append_waiters, *turn.close_waiters]
        counts = [*turn.token_counts, *([0] * len(turn.closes))]
        rows = zip(_pieces(texts), itertools.repeat(None), counts)
        # StreamText(*row) for each, but without a call of Python's.
        results: list[StreamText] = list(map(tuple.__new__, itertools.repeat(StreamText), rows))
        for stop in texts.stops:
            stopped = StreamText(results[stop.index].text, stop.stop_index, stop.tokens_used)
            results[stop.index] = stopped
        for index, failure in _failures(turn, response).items():
            waiter = waiters[index]
            if waiter is not None and not waiter.done():
                waiter.set_exception(failure)
        for waiter, result in zip(waiters, results, strict=True):
            if waiter is not None and not waiter.done():  # else nobody waits, or it has failed
                waiter.set_result(result)

    def _futures_of(self, turn: _Turn) -> Iterable[_Waiter]:
        yield from turn.append_waiters
        yield from (waiter for waiter in turn.close_waiters if waiter is not None)


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


def _pieces(texts: pb.TextColumns) -> list[str]:
    """Cut the text of all into the texts of each; sizes are in bytes."""
    text = texts.text
    pieces = []
    begin = 0
    if text.isascii():
        for size in texts.sizes[:]:
            end = begin + size
            pieces.append(text[begin:end])
            begin = end
        return pieces
    data = text.encode()
    for size in texts.sizes:
        pieces.append(data[begin : begin + size].decode())
        begin += size
    return pieces
