"""A real server (engine, sidecar, sockets) on the bundled demo model, started once."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
from tests.end_to_end.media_web import FileServer
from tests.end_to_end.requests import MEDIA
from triptych.v1 import generation_service_pb2_grpc, media_service_pb2_grpc

# Half a minute; on a machine that others use too, minutes.
START_TIMEOUT_S = 540
CONDITION_TIMEOUT_S = 60
PART_LIMITS = {"image": 4, "audio": 3, "video": 2}
# The demo model does not think: for tests of budgets its whole answer is a thought, until this end.
REASONING = {
    "reasoning_start_str": "<|im_start|>assistant\n",
    "reasoning_end_str": " is a thought.",
}
ENGINE_FLAGS = (
    *("--max-model-len", "2048"),
    # Room for some ten pictures, so that vLLM's caches evict all the time.
    *("--mm-processor-cache-gb", "0.002"),
    *("--limit-mm-per-prompt", json.dumps(PART_LIMITS)),
    *("--reasoning-config", json.dumps(REASONING)),
    *("--scheduling-policy", "priority"),
)


class RunningServer:
    """An Application on an event loop of its own, in a thread, on a Unix socket."""

    def __init__(self, directory: Path, media_port: int) -> None:
        model, name = resolve_model(None)
        self.metrics_address = f"127.0.0.1:{_free_port()}"
        self.application = Application(
            ServerConfig(
                model=model,
                served_model_name=name,
                listen=f"unix:{directory / 'triptych.sock'}",
                sidecar_binary=resolve_sidecar(None),
                grace_s=5.0,
                max_message_bytes=64 << 20,
                media=MediaConfig(
                    workers=1,
                    allowed_hosts=(f"127.0.0.1:{media_port}",),
                    allowed_roots=(MEDIA,),
                    store=directory / "store",
                ),
                log_level="info",
                metrics_listen=self.metrics_address,
                engine_flags=ENGINE_FLAGS,
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

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Look at what the server tells of itself until it is so."""
        never = threading.Event()
        for _ in range(CONDITION_TIMEOUT_S * 100):
            if condition():
                return
            never.wait(0.01)
        pytest.fail("what was waited for did not come")

    def run(self, coroutine) -> Any:
        """Run a coroutine on the server's loop, and return what it gives."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(CONDITION_TIMEOUT_S)

    def _call(self, coroutine) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(START_TIMEOUT_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def web() -> Iterator[FileServer]:
    """An HTTP server on loopback, the only host that media URLs may name."""
    with FileServer.running() as files:
        yield files


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, web: FileServer) -> Iterator[RunningServer]:
    prepare_engine_environment("info")
    running = RunningServer(tmp_path_factory.mktemp("server"), web.port)
    try:
        running.start()
        yield running
    finally:  # its thread would keep the tests from ending
        running.stop()


@pytest.fixture(scope="session")
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.application.address) as channel:
        yield channel


@pytest.fixture(scope="session")
def generation(channel: grpc.Channel) -> generation_service_pb2_grpc.GenerationServiceStub:
    return generation_service_pb2_grpc.GenerationServiceStub(channel)


@pytest.fixture(scope="session")
def media(channel: grpc.Channel) -> media_service_pb2_grpc.MediaServiceStub:
    return media_service_pb2_grpc.MediaServiceStub(channel)
