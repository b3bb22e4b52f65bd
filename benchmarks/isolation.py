"""How much a running text stream feels of media that arrive: Triptych beside vLLM's OpenAI server.

    python -m benchmarks.isolation [--videos 8] [--photos 32] [--repeats 3]

One client reads a stream of text, token by token; another sends 8 videos (10 s, 1280x720, H.264)
and 32 photos (12 megapixels) at once, all different, two tokens asked of each. Printed: the gaps
between the stream's tokens while

* nothing else runs (`idle`),
* the media are received, decoded, preprocessed and answered (`media`),
* the same media come a second time with another question before them (`media again`): what is
  cached is not made again, but all of it is sent, and the engine answers anew.

Both servers have the same model and engine flags. The engine's own work for the media delays the
stream in both; it is small, for the demo model is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

from benchmarks.isolation_calls import Calls, OpenAiCalls, TriptychCalls
from benchmarks.isolation_clients import Load, Pieces, Reader, send_load
from benchmarks.peers import ENGINE_FLAGS, OpenAiServer, Peer, Triptych
from benchmarks.server_process import CpuSeconds, cpu_seconds, free_port, running

_DEMO_MODEL = Path(__file__).resolve().parent.parent / "demo" / "model"
_FLAGS = (*ENGINE_FLAGS, "--max-model-len", "2048")  # the later one holds
_TOKENS_A_STREAM = 1500
_WARM_UP = 10_000  # no repeat has this number
_PEERS: tuple[tuple[type[Peer], type[Calls]], ...] = (
    (Triptych, TriptychCalls),
    (OpenAiServer, OpenAiCalls),
)
_GOAL_OF_IDLE, _GOAL_OF_PEER = 3.0, 0.2


@dataclass(frozen=True)
class Result:
    """One condition's figures: of one run, or the medians of several."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    tokens_per_s: float
    tokens_a_piece: float
    load_s: float
    front_end_s: float
    workers_s: float
    engine_s: float


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=_DEMO_MODEL)
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--photos", type=int, default=32)
    parser.add_argument("--idle-seconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=3, help="medians are over these")
    parser.add_argument("--only", choices=[peer.name for peer, _ in _PEERS], help="one server")
    arguments = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.1f}, cores: {os.cpu_count()}")
    results = {
        peer.name: asyncio.run(_measure_peer(peer, calls, arguments))
        for peer, calls in _PEERS
        if arguments.only in (None, peer.name)
    }
    for line in (*_table_lines(results), *_goal_lines(results)):
        print(line)


async def _measure_peer(
    peer_type: type[Peer], calls_type: type[Calls], arguments: argparse.Namespace
) -> dict[str, Result]:
    model = arguments.model.resolve()
    peer = peer_type(model, free_port(), _FLAGS)
    async with running(peer) as process:
        calls = calls_type(f"127.0.0.1:{peer.port}", str(model))
        return await asyncio.to_thread(_measure, process, calls, arguments)


def _measure(
    process: psutil.Process, calls: Calls, arguments: argparse.Namespace
) -> dict[str, Result]:
    """Measure all conditions, again and again; return their medians."""
    # The first requests of each kind build what the later ones use.
    send_load(calls, _nth_load(_WARM_UP, 2, 2), "Say.", lambda: None)
    results: defaultdict[str, list[Result]] = defaultdict(list)
    for repeat in range(arguments.repeats):
        results["idle"].append(_idle(process, calls, arguments.idle_seconds))
        load = _nth_load(repeat, arguments.photos, arguments.videos)
        for condition, question in (("media", "What is this?"), ("media again", "Say it again.")):
            results[condition].append(_loaded(process, calls, load, question))
        for condition, runs in results.items():
            print(f"{condition}: {runs[-1]}", flush=True)
    return {condition: _median(runs) for condition, runs in results.items()}


def _nth_load(number: int, photos: int, videos: int) -> Load:
    """Return the load of one repeat: no medium is in two of them."""
    return Load(
        range(number * photos, (number + 1) * photos),
        range(number * videos, (number + 1) * videos),
    )


def _idle(process: psutil.Process, calls: Calls, seconds: float) -> Result:
    with Reader(calls, _TOKENS_A_STREAM) as reader:
        window, before = time.monotonic(), cpu_seconds(process)
        time.sleep(seconds)
        used = cpu_seconds(process) - before
        return _to_result(reader.stop(), window, time.monotonic(), 0.0, used)


def _loaded(process: psutil.Process, calls: Calls, load: Load, question: str) -> Result:
    started: list[tuple[float, CpuSeconds]] = []

    def at_start() -> None:
        started.append((time.monotonic(), cpu_seconds(process)))

    with Reader(calls, _TOKENS_A_STREAM) as reader:
        load_s = send_load(calls, load, question, at_start)
        ((window, before),) = started
        used = cpu_seconds(process) - before
        return _to_result(reader.stop(), window, window + load_s, load_s, used)


def _to_result(
    pieces: Pieces, since: float, until: float, load_s: float, used: CpuSeconds
) -> Result:
    gaps_ms = [1000 * gap_s for gap_s in pieces.gaps_s(since, until)]
    tokens = pieces.tokens(since, until)
    percentiles = statistics.quantiles(gaps_ms, n=100, method="inclusive")
    return Result(
        p50_ms=percentiles[49],
        p99_ms=percentiles[98],
        max_ms=max(gaps_ms),
        tokens_per_s=tokens / (until - since),
        tokens_a_piece=tokens / len(gaps_ms),
        load_s=load_s,
        front_end_s=used.front_end,
        workers_s=used.workers,
        engine_s=used.engine,
    )


def _median(runs: list[Result]) -> Result:
    return Result(
        **{
            field.name: statistics.median(getattr(run, field.name) for run in runs)
            for field in fields(Result)
        }
    )


def _table_lines(results: dict[str, dict[str, Result]]) -> Iterator[str]:
    yield (
        "| server | stream beside | gap p50 / p99 / max ms | tokens/s (a delta) "
        "| media answered in s | CPU s: front end / workers / engine |"
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for peer, conditions in results.items():
        for condition, row in conditions.items():
            yield (
                f"| {peer} | {condition} | {row.p50_ms:.1f} / {row.p99_ms:.1f} / {row.max_ms:.0f} "
                f"| {row.tokens_per_s:.0f} ({row.tokens_a_piece:.2f}) "
                f"| {row.load_s:.1f} "
                f"| {row.front_end_s:.1f} / {row.workers_s:.1f} / {row.engine_s:.1f} |"
            )


def _goal_lines(results: dict[str, dict[str, Result]]) -> Iterator[str]:
    """Say how far the goals of docs/benchmarks.md are reached."""
    ours, peer = results.get(Triptych.name), results.get(OpenAiServer.name)
    if ours:
        ratio = ours["media"].p99_ms / ours["idle"].p99_ms
        yield f"p99 beside media to its own idle p99: {ratio:.1f} (goal: at most {_GOAL_OF_IDLE:g})"
    if ours and peer:
        ratio = ours["media"].p99_ms / peer["media"].p99_ms
        yield f"p99 beside media to the OpenAI server's: {ratio:.2f} (goal: {_GOAL_OF_PEER:g})"


if __name__ == "__main__":
    main()
