"""A client that reads no more: nothing is piled up for it, and it is not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import grpc
import pytest

from service.domain.events import Event, GenerationRequest, TextDelta
from service.rpc.server import RpcServer, build_server
from service.rpc.serving import Serving
from tests.fakes.fake_way import FakeWay
from tests.unit.rpc.test_server import reason
from triptych.v1 import generation_service_pb2, generation_service_pb2_grpc

PIECE = "x" * 1000
# More than all windows and buffers between the two hold: those of gRPC grow to some megabytes.
PIECES = 100_000
PROMPT = generation_service_pb2.GenerateRequest(text="hi")


class Talker:
    """Has a hundred megabytes to say, as fast as they are taken."""

    def __init__(self) -> None:
        self.said = 0
        self.has_ended = asyncio.Event()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        try:
            for _ in range(PIECES):
                self.said += 1
                yield TextDelta(0, PIECE)
        finally:
            self.has_ended.set()


@pytest.fixture
def talker() -> Talker:
    return Talker()


@pytest.fixture
async def server(talker: Talker, tmp_path: Path) -> AsyncIterator[RpcServer]:
    serving = Serving()
    serving.open(FakeWay().loaded(generator=talker))
    server = build_server(
        f"unix:{tmp_path}/rpc.sock", serving, max_message_bytes=1 << 20, reader_timeout_s=0.5
    )
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def call(server: RpcServer) -> AsyncIterator[grpc.aio.UnaryStreamCall]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
        yield stub.Generate(PROMPT)


async def test_a_client_that_stops_reading_is_asked_for_no_more(
    call: grpc.aio.UnaryStreamCall, talker: Talker
) -> None:
    """What was made for it is what windows and sockets hold, and its answer is given up."""
    await call.read()

    await asyncio.wait_for(talker.has_ended.wait(), 60)

    assert talker.said < PIECES / 5


async def test_a_client_that_reads_on_learns_that_its_answer_was_given_up(
    call: grpc.aio.UnaryStreamCall, talker: Talker
) -> None:
    """It has all that was made for it, and then the status."""
    await call.read()
    await asyncio.wait_for(talker.has_ended.wait(), 60)

    read = 1
    end = None
    while end is None:
        try:
            await call.read()
            read += 1
        except grpc.aio.AioRpcError as error:
            end = error

    assert end.code() is grpc.StatusCode.ABORTED
    assert reason(end) == "READER_STALLED"
    assert read == talker.said


async def test_a_client_that_never_reads_on_holds_up_no_stop(
    call: grpc.aio.UnaryStreamCall, server: RpcServer, talker: Talker
) -> None:
    """Its call counts as running no longer than it takes to give it up."""
    await call.read()
    await asyncio.wait_for(talker.has_ended.wait(), 60)

    assert await server._running.wait_until_none(60) == 0
