"""How soon a cancelled request is gone, and how early an answer ends for its deadline.

    python -m benchmarks.cancellation [--repeats 20]

A server with the demo model runs in this process; its clients are real ones, over a socket. A
request is cancelled while the engine writes its answer, while its medium is fetched (its host does
not answer), while a worker has it (and hangs), and while it waits for a slot. Printed is the time
from the client's `cancel()` until the engine's own count and the server's counters of requests are
what they were before: the way over the socket is in it.

Then answers with 2 s to live: what was left of it when their last event was read.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
from prometheus_client import REGISTRY

from service.app import Application
from service.config import (
    MediaConfig,
    RequestConfig,
    ServerConfig,
    prepare_engine_environment,
    resolve_model,
    resolve_sidecar,
)
from service.telemetry.progress import Stage
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    sampling_pb2,
)

_PICTURE = (Path(__file__).resolve().parent.parent / "demo" / "media" / "picture.jpg").read_bytes()
_TIME_TO_LIVE_S = 2.0
_PATIENCE_S = 60.0
_POLL_S = 0.0005


class _Server:
    """An Application on an event loop of its own, with one slot and one media worker."""

    def __init__(self, directory: Path, silent_port: int) -> None:
        model, name = resolve_model(None)
        config = ServerConfig(
            model=model,
            served_model_name=name,
            listen=f"unix:{directory / 'triptych.sock'}",
            sidecar_binary=resolve_sidecar(None),
            grace_s=5.0,
            max_message_bytes=64 << 20,
            media=MediaConfig(
                workers=1, cache_bytes=0, allowed_hosts=(f"127.0.0.1:{silent_port}",)
            ),
            log_level="error",
            engine_flags=("--max-model-len", "2048"),
            requests=RequestConfig(max_running_requests=1),
        )
        self.application = Application(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._run(self.application.start())

    def stop(self) -> None:
        """End everything."""
        self._run(self.application.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def counts(self) -> dict[str, float]:
        """Return what the engine counts, and how many requests are in each stage."""
        counts = {
            stage: REGISTRY.get_sample_value("triptych_requests", {"stage": stage}) or 0.0
            for stage in Stage
        }
        return counts | {"engine": REGISTRY.get_sample_value("triptych_engine_requests") or 0.0}

    def _run(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def _ask(
    *parts: conversation_pb2.Part, max_tokens: int = 1900
) -> generation_service_pb2.GenerateRequest:
    message = conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)
    return generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=[message]),
        sampling=sampling_pb2.SamplingParams(ignore_eos=True, max_tokens=max_tokens),
    )


def _image(**source: Any) -> conversation_pb2.Part:
    image = media_pb2.ImagePart(source=media_pb2.MediaSource(**source))
    return conversation_pb2.Part(image=image)


def _until(condition: Callable[[], bool]) -> float:
    """Wait until it is so; return how long that took, in milliseconds."""
    started = time.perf_counter()
    while not condition():
        if time.perf_counter() - started > _PATIENCE_S:
            raise TimeoutError("what was waited for did not come")
        time.sleep(_POLL_S)
    return (time.perf_counter() - started) * 1e3


def _time_cancel(server: _Server, stub: Any, request: Any, stage: Stage) -> float:
    before = server.counts()
    call = stub.Generate(request)
    _until(lambda: server.counts()[stage] == before[stage] + 1)
    call.cancel()
    return _until(lambda: server.counts() == before)


@contextlib.contextmanager
def _hanging_worker(stub: Any) -> Iterator[None]:
    """Stop the workers, which are children of the process that they are forked from."""
    # Its answer tells that a worker is ready.
    list(stub.Generate(_ask(_image(data=_PICTURE), max_tokens=1)))
    workers = [
        worker
        for forker in psutil.Process().children()
        if "service.media_worker" in " ".join(forker.cmdline())
        for worker in forker.children()
    ]
    for worker in workers:
        os.kill(worker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):  # it was killed with its task
                os.kill(worker.pid, signal.SIGCONT)


def _time_all(server: _Server, stub: Any, url: str, repeats: int) -> dict[Stage, list[float]]:
    text = conversation_pb2.Part(text="Hello")
    times: dict[Stage, list[float]] = {
        stage: [] for stage in (Stage.WRITING, Stage.FETCH, Stage.MEDIA, Stage.ADMISSION)
    }
    for _ in range(repeats):
        times[Stage.WRITING].append(_time_cancel(server, stub, _ask(text), Stage.WRITING))
        times[Stage.FETCH].append(_time_cancel(server, stub, _ask(_image(url=url)), Stage.FETCH))
        with _hanging_worker(stub):
            request = _ask(_image(data=_PICTURE))
            times[Stage.MEDIA].append(_time_cancel(server, stub, request, Stage.MEDIA))
        running = stub.Generate(_ask(text))
        next(running)
        _until(lambda: server.counts()[Stage.WRITING] == 1)
        times[Stage.ADMISSION].append(_time_cancel(server, stub, _ask(text), Stage.ADMISSION))
        running.cancel()
        _until(lambda: not any(server.counts().values()))
    return times


def _time_deadlines(stub: Any, repeats: int) -> list[float]:
    """Return what was left of each call's time at its end, in milliseconds; 0: it came too late."""
    left = []
    for _ in range(repeats):
        started = time.perf_counter()
        call = stub.Generate(_ask(conversation_pb2.Part(text="Hello")), timeout=_TIME_TO_LIVE_S)
        with contextlib.suppress(grpc.RpcError):
            list(call)
        is_late = call.code() is not grpc.StatusCode.OK
        left_s = 0.0 if is_late else _TIME_TO_LIVE_S - (time.perf_counter() - started)
        left.append(left_s * 1e3)
    return left


def _print(name: str, times_ms: list[float]) -> None:
    ordered = sorted(times_ms)
    print(
        f"| {name} | {ordered[0]:.1f} | {statistics.median(ordered):.1f} "
        f"| {ordered[int(len(ordered) * 0.95)]:.1f} | {ordered[-1]:.1f} |"
    )


def _measure(server: _Server, url: str, repeats: int) -> None:
    with grpc.insecure_channel(server.application.address) as channel:
        stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
        _time_all(server, stub, url, 2)  # the first of each kind are slower
        print(f"cores: {os.cpu_count()}, load: {os.getloadavg()[0]:.1f}")
        print("| ms | least | median | p95 | most |\n| --- | ---: | ---: | ---: | ---: |")
        for stage, times_ms in _time_all(server, stub, url, repeats).items():
            _print(f"cancelled while {stage.replace('_', ' ')}", times_ms)
        _print(f"left of {_TIME_TO_LIVE_S:g} s at the end", _time_deadlines(stub, repeats))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    prepare_engine_environment("error")
    with tempfile.TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", 0)) as web:
        port = web.getsockname()[1]  # connections wait in its queue, and nobody answers
        server = _Server(Path(directory), port)
        try:
            _measure(server, f"http://127.0.0.1:{port}/never.png", repeats)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
