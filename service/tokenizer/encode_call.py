"""Texts to token ids over one long-lived StreamEncode call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from service.tokenizer.sidecar_errors import failure_of
from service.tokenizer.turn_call import TurnCall
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

_Waiter = asyncio.Future[pb.EncodeResponse]


class EncodeCall(TurnCall[list[_Waiter]]):
    """One StreamEncode call. For short texts: a long one holds up those behind it."""

    method = "/triptych.sidecar.v1.TokenizerService/StreamEncode"

    def __init__(self) -> None:
        """Prepare; must be called inside the event loop."""
        super().__init__()
        self._requests: list[pb.EncodeRequest] = []
        self._waiters: list[_Waiter] = []

    def encode(self, request: pb.EncodeRequest) -> _Waiter:
        """Return what will be the tokens of the text."""
        self.begin_turn()
        waiter: _Waiter = self.loop.create_future()
        self._requests.append(request)
        self._waiters.append(waiter)
        return waiter

    def _take_turn(self) -> tuple[list[_Waiter], bytes]:
        message = pb.StreamEncodeRequest(requests=self._requests).SerializeToString()
        turn = self._waiters
        self._requests, self._waiters = [], []
        return turn, message

    def _resolve(self, turn: list[_Waiter], message: bytes) -> None:
        results = pb.StreamEncodeResponse.FromString(message).results
        for waiter, result in zip(turn, results, strict=True):
            if waiter.done():  # cancelled
                continue
            if result.HasField("failure"):
                waiter.set_exception(failure_of(result.failure))
            else:
                waiter.set_result(result.response)

    def _futures_of(self, turn: list[_Waiter]) -> Iterable[_Waiter]:
        return turn
