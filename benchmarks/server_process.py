"""Servers as processes of their own: started, waited for, their CPU time read, ended."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass

import grpc
import httpx
import numpy as np
import psutil
from PIL import Image

from benchmarks.peers import Peer

_START_TIMEOUT_S = 300


@dataclass(frozen=True)
class CpuSeconds:
    """CPU time used so far, user and system.

    `front_end` is the server's process and, of ours, the sidecar; `workers` are our media workers;
    `engine` is vLLM's engine processes.
    """

    front_end: float
    workers: float
    engine: float

    def __sub__(self, earlier: CpuSeconds) -> CpuSeconds:
        """Return what was used since."""
        return CpuSeconds(*(a - b for a, b in zip(astuple(self), astuple(earlier), strict=True)))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.asynccontextmanager
async def running(peer: Peer) -> AsyncIterator[psutil.Process]:
    """Run a server until the block ends; inside it, the server has answered a first request."""
    print(f"starting {peer.name} …", flush=True)
    process = await asyncio.create_subprocess_exec(
        *peer.command(), env=peer.full_environment(), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _wait_until_answering(peer, process)
        yield psutil.Process(process.pid)
        await peer.close()
    finally:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            process.terminate()
        await process.wait()


def cpu_seconds(server: psutil.Process) -> CpuSeconds:
    """Return what a server's processes have used since they began."""
    used = {"front_end": _own_cpu_s(server), "workers": 0.0, "engine": 0.0}
    for child in server.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            used[_part(child)] += _own_cpu_s(child)
    return CpuSeconds(**used)


def draw_blocks(seed: int) -> bytes:
    """Return a 640x480 JPEG of large coloured blocks, about 20 kB."""
    blocks = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    image = Image.fromarray(blocks).resize((640, 480), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


async def _wait_until_answering(peer: Peer, process: asyncio.subprocess.Process) -> None:
    await peer.connect()
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            await peer.ask(draw_blocks(0))
        except (grpc.RpcError, httpx.HTTPError):  # not listening, or not ready
            if process.returncode is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(1)
        else:
            return


def _part(child: psutil.Process) -> str:
    if child.name().startswith("VLLM::"):
        return "engine"
    return "workers" if "service.media_worker" in child.cmdline() else "front_end"


def _own_cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
