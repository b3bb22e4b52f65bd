"""The status with which the server ended a call of `grpc.aio`.

Where the server ends a call while a message is on its way to it, sending fails too, and `grpc.aio`
gives the call an INTERNAL of its own (`_write` in its `_call.py`, grpcio 1.85). Sometimes that is
after the server's status has come, and it is written over: of refused uploads one in some hundreds.
So the status is noted when it comes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

_DETAILS_OF_ITS_OWN = "Internal error from Core"


class ServerStatus:
    """Watches a call that has just begun."""

    def __init__(self, call: Any) -> None:
        """Note the status when it comes."""
        self._error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise it where a call in the block raises what was written over it."""
        try:
            yield
        except grpc.aio.AioRpcError as error:
            if self._error is None or error.details() != _DETAILS_OF_ITS_OWN:
                raise
            raise self._error from None

    def _note(self, call: Any) -> None:
        code, details, trailing = (
            _result_of(ask()) for ask in (call.code, call.details, call.trailing_metadata)
        )
        if code is not grpc.StatusCode.OK and details != _DETAILS_OF_ITS_OWN:
            self._error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details)


def _result_of(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that has nothing to wait for, as those that ask a call that is done."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("the call is not done")
