"""The status that the server gave is what is told, whatever `grpc.aio` writes over it."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from triptych_client._server_status import ServerStatus

REFUSED = (grpc.StatusCode.FAILED_PRECONDITION, "start it with a store")
BROKEN_SEND = (grpc.StatusCode.INTERNAL, "Internal error from Core")


class EndedCall:
    """A call as `grpc.aio` has it: ended, with a status that may change afterwards."""

    def __init__(self) -> None:
        self.status = BROKEN_SEND
        self._callbacks: list[Callable[[EndedCall], None]] = []

    def add_done_callback(self, callback: Callable[[EndedCall], None]) -> None:
        self._callbacks.append(callback)

    def end(self, status: tuple[grpc.StatusCode, str]) -> None:
        self.status = status
        for callback in self._callbacks:
            callback(self)

    async def code(self) -> grpc.StatusCode:
        return self.status[0]

    async def details(self) -> str:
        return self.status[1]

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata(("which", self.status[1]))


def told(server_status: ServerStatus, code: grpc.StatusCode, details: str) -> grpc.aio.AioRpcError:
    """Return what a call that raises this raises for the client."""
    metadata = grpc.aio.Metadata()
    with pytest.raises(grpc.aio.AioRpcError) as caught, server_status.raised():
        raise grpc.aio.AioRpcError(code, metadata, metadata, details)
    return caught.value


def test_what_was_written_over_the_servers_status_is_not_told() -> None:
    """With its trailing metadata, in which the details of the error are."""
    call = EndedCall()
    server_status = ServerStatus(call)
    call.end(REFUSED)

    error = told(server_status, *BROKEN_SEND)

    assert (error.code(), error.details()) == REFUSED
    assert dict(error.trailing_metadata()) == {"which": REFUSED[1]}


def test_what_comes_after_a_broken_send_is_told() -> None:
    """Then it is the server's status that was written over."""
    call = EndedCall()
    server_status = ServerStatus(call)
    call.end(BROKEN_SEND)

    error = told(server_status, *REFUSED)

    assert (error.code(), error.details()) == REFUSED


def test_a_send_that_breaks_without_a_status_is_told() -> None:
    """As where the connection was lost."""
    error = told(ServerStatus(EndedCall()), *BROKEN_SEND)

    assert (error.code(), error.details()) == BROKEN_SEND
