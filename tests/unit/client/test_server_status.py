"""The status that the server gave is what is told, whatever `grpc.aio` writes over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import grpc
import pytest

from triptych_client._server_status import ServerStatus

Status: TypeAlias = tuple[grpc.StatusCode, str]

REFUSED: Status = (grpc.StatusCode.FAILED_PRECONDITION, "start it with a store")
BROKEN_SEND: Status = (grpc.StatusCode.INTERNAL, "Internal error from Core")
OVER: Status = (grpc.StatusCode.OK, "")


class EndedCall:
    """A call as `grpc.aio` has it: ended, with a status that may change afterwards."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self._callbacks: list[Callable[[EndedCall], None]] = []

    def add_done_callback(self, callback: Callable[[EndedCall], None]) -> None:
        self._callbacks.append(callback)

    def end(self) -> None:
        for callback in self._callbacks:
            callback(self)

    async def code(self) -> grpc.StatusCode:
        return self.status[0]

    async def details(self) -> str:
        return self.status[1]

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata(("which", self.status[1]))


def told(call: EndedCall, code: grpc.StatusCode, details: str) -> grpc.aio.AioRpcError:
    """Return what is raised for the client where a call that ended raises this."""
    server_status = ServerStatus(call)
    call.end()
    metadata = grpc.aio.Metadata()
    with pytest.raises(grpc.aio.AioRpcError) as caught, server_status.raised():
        raise grpc.aio.AioRpcError(code, metadata, metadata, details)
    return caught.value


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param(REFUSED, BROKEN_SEND, REFUSED, id="the server's was written over"),
        pytest.param(BROKEN_SEND, REFUSED, REFUSED, id="the server's came last"),
        pytest.param(BROKEN_SEND, BROKEN_SEND, BROKEN_SEND, id="there is none of the server"),
        pytest.param(OVER, BROKEN_SEND, BROKEN_SEND, id="the server's is no failure"),
    ],
)
def test_the_servers_status_is_told(first: Status, last: Status, expected: Status) -> None:
    """Whether it is the first that the call had, or the last."""
    error = told(EndedCall(first), *last)

    assert (error.code(), error.details()) == expected


def test_the_servers_details_are_told() -> None:
    """They are in its trailing metadata."""
    error = told(EndedCall(REFUSED), *BROKEN_SEND)

    assert dict(error.trailing_metadata()) == {"which": REFUSED[1]}
