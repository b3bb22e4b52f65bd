"""The server as a process of its own: start, health, crash of its parts, stop, kill."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.end_to_end.requests import ask, joined_text, kinds, text
from triptych.v1 import generation_service_pb2_grpc

ROOT = Path(__file__).resolve().parents[2]
COUNT = "Count from one to twenty."
SERVING = health_pb2.HealthCheckResponse.SERVING
WATCH_TIMEOUT_S = 5
DRAIN_TIMEOUT_S = 60
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class ServerProcess:
    """`python -m service serve` in a child process, on a Unix socket."""

    def __init__(self, directory: Path, *model: str, **environment: str) -> None:
        self.address = f"unix:{directory / 'triptych.sock'}"
        self.log = directory / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "service", "serve", *model, "--listen", self.address),
                    *("--grace", "20", "--max-model-len", "2048"),
                ],
                cwd=ROOT,
                env=os.environ | environment,
                stderr=log,
                stdout=log,
            )
        self.channel = grpc.insecure_channel(self.address)
        self.generation = generation_service_pb2_grpc.GenerationServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def statuses_until(self, wanted: int) -> list[int]:
        """Watch health until `wanted`; return all that was seen. The server must not end before."""
        seen: list[int] = []
        while wanted not in seen:
            assert self.process.poll() is None, self.log.read_text()
            watch = self.health.Watch(
                health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=WATCH_TIMEOUT_S
            )
            with contextlib.suppress(grpc.RpcError):  # not listening yet, or the same for long
                while wanted not in seen:
                    seen.append(next(watch).status)
            watch.cancel()
        return seen

    def end(self) -> None:
        self.channel.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        print(self.log.read_text())

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def sidecar(self) -> psutil.Process:
        return next(child for child in self.descendants() if "triptych-tokenizer" in child.exe())


@pytest.fixture
def server_process(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path)
    try:
        yield server
    finally:
        server.end()


def test_life_of_a_server(server_process: ServerProcess) -> None:
    """Health follows the engine; a killed sidecar comes back; SIGTERM drains; nothing is left."""
    assert server_process.statuses_until(SERVING)[0] == NOT_SERVING

    _kill_the_sidecar_under_a_stream(server_process)
    assert joined_text(server_process.generation.Generate(ask(text("Hello")))) != ""

    children = server_process.descendants()
    # Before the signal: once its streams are done, a stopping server takes no new watcher.
    watch = server_process.health.Watch(health_pb2.HealthCheckRequest(), timeout=DRAIN_TIMEOUT_S)
    assert next(watch).status == SERVING
    stream = server_process.generation.Generate(ask(text(COUNT), max_tokens=300, ignore_eos=True))
    events = [next(stream), next(stream)]
    server_process.process.send_signal(signal.SIGTERM)
    assert next(watch).status == NOT_SERVING
    events += list(stream)

    assert kinds(events)[-1] == "completed"
    assert server_process.process.wait(60) == 0
    assert _still_running(children) == []


def test_a_name_on_the_hub_is_served_from_the_cache(tmp_path: Path) -> None:
    """Once the sidecar looked for the name's tokenizer.json in the working directory."""
    cached = tmp_path / "hub" / "models--someone--small"
    shutil.copytree(ROOT / "demo" / "model", cached / "snapshots" / "0123abcd")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("0123abcd")
    server = ServerProcess(
        tmp_path, "someone/small", HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="1"
    )
    try:
        server.statuses_until(SERVING)
        assert joined_text(server.generation.Generate(ask(text("Hello"), model="someone/small")))
    finally:
        server.end()


def test_kill_9_of_the_server_leaves_no_process(server_process: ServerProcess) -> None:
    """Engine and sidecar notice that their server is gone."""
    server_process.statuses_until(SERVING)
    children = server_process.descendants()

    os.kill(server_process.process.pid, signal.SIGKILL)

    assert len(children) >= 2
    assert _still_running(children) == []


def test_death_of_the_engine_ends_the_server(server_process: ServerProcess) -> None:
    """When the engine dies, streams fail with UNAVAILABLE and the server exits with 1."""
    server_process.statuses_until(SERVING)
    children = server_process.descendants()
    stream = server_process.generation.Generate(ask(text(COUNT), max_tokens=1900, ignore_eos=True))
    next(stream), next(stream)

    next(child for child in children if "EngineCore" in child.name()).kill()

    with pytest.raises(grpc.RpcError) as failure:
        list(stream)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
    assert server_process.process.wait(60) == 1
    assert _still_running(children) == []


def _kill_the_sidecar_under_a_stream(server: ServerProcess) -> None:
    stream = server.generation.Generate(ask(text(COUNT), max_tokens=1900, ignore_eos=True))
    next(stream), next(stream)
    server.sidecar().kill()

    with pytest.raises(grpc.RpcError) as failure:
        list(stream)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE


def _still_running(processes: list[Any]) -> list[Any]:
    """Wait for all to end, at most 20 s; return those that did not."""
    _, alive = psutil.wait_procs(processes, timeout=20)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
