"""A real server (engine, sidecar, sockets) on the bundled demo model, started once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from service.app import Application
from service.config import (
    MediaConfig,
    ServerConfig,
    prepare_engine_environment,
    resolve_model,
    resolve_sidecar,
)
from triptych.v1 import generation_service_pb2_grpc

START_TIMEOUT_S = 300


class RunningServer:
    """An Application on an event loop of its own, in a thread, on a Unix socket."""

    def __init__(self, socket: Path) -> None:
        model, name = resolve_model(None)
        self.application = Application(
            ServerConfig(
                model=model,
                served_model_name=name,
                listen=f"unix:{socket}",
                sidecar_binary=resolve_sidecar(None),
                grace_s=5.0,
                max_message_bytes=64 << 20,
                media=MediaConfig(workers=1),
                log_level="info",
                engine_flags=("--max-model-len", "2048"),
            )
        )
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="server loop")

    def start(self) -> None:
        self._thread.start()
        self._call(self.application.start())

    def stop(self) -> None:
        self._call(self.application.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def unfinished_requests(self) -> int:
        """How many requests the engine holds, by its own count."""
        return self.application.engine.unfinished_requests

    def _call(self, coroutine) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(START_TIMEOUT_S)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    prepare_engine_environment("info")
    running = RunningServer(tmp_path_factory.mktemp("server") / "triptych.sock")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.application.address) as channel:
        yield channel


@pytest.fixture(scope="session")
def generation(channel: grpc.Channel) -> generation_service_pb2_grpc.GenerationServiceStub:
    return generation_service_pb2_grpc.GenerationServiceStub(channel)
