"""A model served by `triptych serve`, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from triptych.v1 import generation_service_pb2_grpc
from triptych_client import Client, DeadlineExceededError

ROOT = Path(__file__).resolve().parents[2]
# Half a minute, and many times that on a machine that has other things to do.
_START_TIMEOUT_S = 600
_LOOK_S = 5
_STOP_TIMEOUT_S = 60


@contextmanager
def serving(
    checkpoint: Path, *flags: str
) -> Iterator[generation_service_pb2_grpc.GenerationServiceStub]:
    """Serve a checkpoint while the block runs; raises RuntimeError when it does not come up."""
    with serving_channel(checkpoint, *flags) as channel:
        yield generation_service_pb2_grpc.GenerationServiceStub(channel)


@contextmanager
def serving_channel(checkpoint: Path, *flags: str) -> Iterator[grpc.Channel]:
    """Serve a checkpoint, for all services, as `serving` does."""
    with serving_address(checkpoint, *flags) as address, grpc.insecure_channel(address) as channel:
        yield channel


@contextmanager
def serving_address(checkpoint: Path, *flags: str) -> Iterator[str]:
    """Serve a checkpoint, for other clients too, as `serving` does."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{Path(folder) / 'triptych.sock'}"
        log = Path(folder) / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "service", "serve", str(checkpoint)),
                    *("--listen", address, *flags),
                ],
                cwd=ROOT,
                env={**os.environ, "HF_HUB_OFFLINE": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            if not _becomes_ready(address, process):
                raise RuntimeError(f"{checkpoint.name} is not served:\n{log.read_text()}")
            yield address
        finally:
            if process.poll() is not None:  # it should not have ended by itself
                print(log.read_text())
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it stop by itself, or kill it: the engine does not listen while it loads."""
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _becomes_ready(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server can answer; False when it has ended, or takes too long."""
    with Client(address) as client:
        for _ in range(_START_TIMEOUT_S // _LOOK_S):
            if process.poll() is not None:
                return False
            try:
                client.wait_until_ready(_LOOK_S)
            except DeadlineExceededError:
                continue
            return True
    return False
