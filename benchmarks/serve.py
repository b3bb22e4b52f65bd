"""The same requests to Triptych, vLLM's OpenAI server and vLLM's gRPC server.

    python -m benchmarks.serve [--model DIR] [--requests 128] [--concurrency 1 16 64]

Each request is one 640x480 JPEG (all different, so that no cache answers) and a short text; each
answer is exactly 32 tokens. Servers run one after the other. Printed for each: requests a
second, time to the first token (p50, p99), and CPU milliseconds a request of the front end (the
server's process, its sidecar and its media workers) and of the engine (vLLM's engine processes).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image

from benchmarks.peers import PEERS, Peer
from benchmarks.server_process import cpu_seconds, draw_blocks, free_port, running

_WARM_UP_REQUESTS = 16
_DEMO_MODEL = Path(__file__).resolve().parent.parent / "demo" / "model"


@dataclass(frozen=True)
class Result:
    """One row of the table."""

    peer: str
    concurrency: int
    requests_per_s: float
    ttft_p50_ms: float
    ttft_p99_ms: float
    front_end_ms: float
    engine_ms: float


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=_DEMO_MODEL)
    parser.add_argument("--requests", type=int, default=128, help="for each row")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--repeats", type=int, default=3, help="medians are over these")
    arguments = parser.parse_args()
    pictures = [draw_blocks(seed) for seed in range(arguments.requests)]
    rows = [
        row
        for peer_type in PEERS
        for row in asyncio.run(_measure_peer(peer_type, arguments, pictures))
    ]
    _print_table(rows)


async def _measure_peer(
    peer_type: type[Peer], arguments: argparse.Namespace, pictures: list[bytes]
) -> list[Result]:
    peer = peer_type(arguments.model.resolve(), free_port())
    async with running(peer) as process:
        await _ask_all(peer, pictures[:_WARM_UP_REQUESTS], 4)
        rows = []
        for concurrency in arguments.concurrency:
            repeats = []
            for repeat in range(arguments.repeats):
                fresh = [_stamped(data, concurrency, repeat) for data in pictures]
                repeats.append(await _measure(peer, process, fresh, concurrency))
            rows.append(_median(repeats))
            print(f"{rows[-1]}", flush=True)
        return rows


async def _measure(
    peer: Peer, process: psutil.Process, pictures: list[bytes], concurrency: int
) -> Result:
    before, started = cpu_seconds(process), time.monotonic()
    first_token_s = await _ask_all(peer, pictures, concurrency)
    wall_s, used = time.monotonic() - started, cpu_seconds(process) - before
    percentiles = statistics.quantiles(first_token_s, n=100)
    return Result(
        peer=peer.name,
        concurrency=concurrency,
        requests_per_s=len(pictures) / wall_s,
        ttft_p50_ms=1000 * percentiles[49],
        ttft_p99_ms=1000 * percentiles[98],
        front_end_ms=1000 * (used.front_end + used.workers) / len(pictures),
        engine_ms=1000 * used.engine / len(pictures),
    )


async def _ask_all(peer: Peer, pictures: list[bytes], concurrency: int) -> list[float]:
    slots = asyncio.Semaphore(concurrency)

    async def ask(picture: bytes) -> float:
        async with slots:
            return await peer.ask(picture)

    return await asyncio.gather(*(ask(picture) for picture in pictures))


def _stamped(jpeg: bytes, concurrency: int, repeat: int) -> bytes:
    """Return the same picture with one block changed, so that no cache knows it."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    image.paste((concurrency * 3 % 256, repeat * 40 % 256, 128), (0, 0, 32, 32))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _median(repeats: list[Result]) -> Result:
    def of(name: str) -> float:
        return statistics.median(getattr(result, name) for result in repeats)

    figures = ("requests_per_s", "ttft_p50_ms", "ttft_p99_ms", "front_end_ms", "engine_ms")
    return Result(repeats[0].peer, repeats[0].concurrency, **{name: of(name) for name in figures})


def _print_table(rows: list[Result]) -> None:
    for line in _table_lines(rows):
        print(line)


def _table_lines(rows: list[Result]) -> Iterator[str]:
    yield "| server | at once | requests/s | TTFT p50 / p99 ms | front-end CPU ms | engine CPU ms |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows:
        yield (
            f"| {row.peer} | {row.concurrency} | {row.requests_per_s:.1f} "
            f"| {row.ttft_p50_ms:.0f} / {row.ttft_p99_ms:.0f} "
            f"| {row.front_end_ms:.1f} | {row.engine_ms:.1f} |"
        )


if __name__ == "__main__":
    main()
