"""A real gRPC server on a Unix socket, with fakes behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from service.rpc.server import RpcServer, build_server
from service.rpc.serving import Serving
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_prober import FakeProber
from tests.fakes.fake_way import FakeWay

MAX_MESSAGE_BYTES = 1 << 20


@pytest.fixture
def way() -> FakeWay:
    return FakeWay()


@pytest.fixture
def engine(way: FakeWay) -> FakeEngine:
    return way.engine


@pytest.fixture
def prober() -> FakeProber:
    return FakeProber()


@pytest.fixture
def serving() -> Serving:
    return Serving()


@pytest.fixture
async def server(serving: Serving, tmp_path: Path) -> AsyncIterator[RpcServer]:
    server = build_server(f"unix:{tmp_path}/rpc.sock", serving, max_message_bytes=MAX_MESSAGE_BYTES)
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: RpcServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture
async def open_server(
    server: RpcServer, serving: Serving, way: FakeWay, prober: FakeProber
) -> RpcServer:
    serving.open(way.loaded(prober=prober))
    await server.set_serving(serving=True)
    return server
