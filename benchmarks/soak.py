"""Twenty minutes of everything at once, and what is left behind: nothing, it is hoped.

    python -m benchmarks.soak [--minutes 20] [--clients 16] [--seed 0]

Clients ask one server for random things (text and media, sessions, uploads, structured output),
cancel a third of them, read slowly, set short deadlines, send what is wrong; meanwhile the
tokenizer sidecar and a media worker are killed now and then. Printed: how the calls ended, and what
the server held at its first rest and at its last: memory, processes, files, tasks, requests.

Fails when a call ended in a status that docs/errors.md does not have, or with no reason of ours;
when something is held at the last rest that was not at the first; or when memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.peers import ENGINE_FLAGS, Triptych
from benchmarks.server_process import free_port, running
from benchmarks.soak_calls import OWN_DOING, SoakCaller
from triptych.v1 import error_reason_pb2

_DEMO_MODEL = Path(__file__).resolve().parent.parent / "demo" / "model"
# Caches that are full before the first rest.
_FLAGS = (
    *("--max-model-len", "2048", "--limit-mm-per-prompt", '{"audio": 4}'),
    *("--mm-processor-cache-gb", "0.05", "--media-cache-mib", "32"),
)
_REST_TIMEOUT_S = 120.0
_SIDECAR_DIES_EVERY_S = 45.0
_WORKER_DIES_EVERY_S = 70.0
_WARM_UP_SHARE = 0.2
_MOST_GROWTH = 1.05
_REASONS = {
    value.name.removeprefix("ERROR_REASON_")
    for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values
}


class SoakedServer(Triptych):
    """Triptych with a store, metrics and narrow limits, so that they are reached."""

    def __init__(self, store: Path) -> None:
        super().__init__(
            _DEMO_MODEL,
            free_port(),
            (*ENGINE_FLAGS, *_FLAGS),
        )
        self.metrics_port = free_port()
        self._store = store

    def command(self) -> list[str]:
        """Return the command that starts the server."""
        own = ("--media-store", str(self._store), "--reader-timeout", "5", "--log-level", "error")
        return [*super().command(), *own, "--metrics-listen", f"127.0.0.1:{self.metrics_port}"]


@dataclass(frozen=True)
class Held:
    """What a server and its processes hold at one moment."""

    rss_mib: dict[str, float]  # by kind of process
    processes: int
    descriptors: int  # of the server's own process
    threads: int
    shared_files: int  # memory without a name, and files of the store that are on their way
    tasks: int
    engine_requests: int

    def leaks_beside(self, first: Held) -> list[str]:
        """Name what is held now and was not at the first rest."""
        found = [
            f"{name}: {getattr(first, name)} -> {getattr(self, name)}"
            for name in ("processes", "shared_files", "tasks", "engine_requests")
            if getattr(self, name) > getattr(first, name)
        ]
        # Pools of threads and connections grow up to their bounds.
        found += [
            f"{name}: {getattr(first, name)} -> {getattr(self, name)}"
            for name in ("descriptors", "threads")
            if getattr(self, name) > getattr(first, name) + 8
        ]
        return found


def main() -> None:
    """Soak, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as store:
        problems = asyncio.run(_soak(SoakedServer(Path(store)), arguments))
    for problem in problems:
        print(f"PROBLEM: {problem}")
    sys.exit(1 if problems else 0)


async def _soak(peer: SoakedServer, arguments: argparse.Namespace) -> list[str]:
    async with running(peer) as server:
        outcomes: Counter[tuple[str, str]] = Counter()
        seconds = arguments.minutes * 60
        await _run_clients(peer, server, outcomes, arguments, seconds * _WARM_UP_SHARE)
        first = await _at_rest(peer, server)
        _print_held("at the first rest", first)
        await _run_clients(peer, server, outcomes, arguments, seconds * (1 - _WARM_UP_SHARE))
        last = await _at_rest(peer, server)
        _print_held("at the last rest", last)
    _print_outcomes(outcomes)
    problems = [f"{kind} ended with {how}" for kind, how in outcomes if not _is_documented(how)]
    problems += last.leaks_beside(first)
    problems += [
        f"memory of {name}: {first.rss_mib[name]:.0f} -> {size:.0f} MiB"
        for name, size in last.rss_mib.items()
        if name in first.rss_mib and size > first.rss_mib[name] * _MOST_GROWTH
    ]
    return problems


async def _run_clients(
    peer: SoakedServer,
    server: psutil.Process,
    outcomes: Counter[tuple[str, str]],
    arguments: argparse.Namespace,
    seconds: float,
) -> None:
    """Let all clients ask until the time is over, and end what they wait for."""
    until = time.monotonic() + seconds

    async def ask(number: int) -> None:
        chance = random.Random(f"{arguments.seed} {number} {seconds}")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{peer.port}") as channel:
            caller = SoakCaller(channel, chance)
            while time.monotonic() < until:
                outcomes[await caller.ask()] += 1

    killers = [
        asyncio.create_task(_kill_now_and_then(server, _is_sidecar, _SIDECAR_DIES_EVERY_S)),
        asyncio.create_task(_kill_now_and_then(server, _is_worker, _WORKER_DIES_EVERY_S)),
        asyncio.create_task(_tell_progress(server, outcomes)),
    ]
    await asyncio.gather(*(ask(number) for number in range(arguments.clients)))
    for killer in killers:
        killer.cancel()


async def _kill_now_and_then(server: psutil.Process, is_wanted, every_s: float) -> None:  # noqa: ANN001
    while True:
        await asyncio.sleep(every_s)
        for child in server.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if is_wanted(child):
                    child.send_signal(signal.SIGKILL)
                    break


async def _tell_progress(server: psutil.Process, outcomes: Counter[tuple[str, str]]) -> None:
    while True:
        await asyncio.sleep(60)
        memory = ", ".join(f"{name} {size:.0f}" for name, size in _memory(server).items())
        print(f"{sum(outcomes.values())} calls; MiB: {memory}", flush=True)


async def _at_rest(peer: SoakedServer, server: psutil.Process) -> Held:
    """Wait until the server holds no request, then tell what it holds."""
    until = time.monotonic() + _REST_TIMEOUT_S
    async with httpx.AsyncClient() as client:
        while True:
            metrics = await _metrics(client, peer)
            is_idle = not metrics["triptych_engine_requests"] and not metrics["triptych_requests"]
            if is_idle or time.monotonic() > until:
                break
            await asyncio.sleep(0.5)
        await asyncio.sleep(5)  # connections that were closed are closed here too
        metrics = await _metrics(client, peer)
    return Held(
        rss_mib=_memory(server),
        processes=len(server.children(recursive=True)),
        descriptors=server.num_fds(),
        threads=server.num_threads(),
        shared_files=_shared_files(server.pid),
        tasks=int(metrics["triptych_tasks"]),
        engine_requests=int(metrics["triptych_engine_requests"]),
    )


async def _metrics(client: httpx.AsyncClient, peer: SoakedServer) -> Counter[str]:
    """Return the values of all metrics, those of one name added up."""
    answer = await client.get(f"http://127.0.0.1:{peer.metrics_port}/metrics")
    values: Counter[str] = Counter()
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            values[sample.name] += sample.value
    return values


def _memory(server: psutil.Process) -> dict[str, float]:
    """Return the memory of the lasting processes, in MiB; that of a worker ends with it."""
    sizes = {"server": server.memory_info().rss / 2**20}
    for child in server.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if child.name().startswith("VLLM::"):
                sizes["engine"] = child.memory_info().rss / 2**20
            elif _is_sidecar(child):
                sizes["sidecar"] = child.memory_info().rss / 2**20
    return sizes


def _shared_files(pid: int) -> int:
    """Count the descriptors of memory without a name."""
    count = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it was that of this very loop
            count += str(descriptor.readlink()).startswith("/memfd:")
    return count


def _is_sidecar(process: psutil.Process) -> bool:
    return "triptych-tokenizer" in process.name() or "triptych-tokeni" in process.name()


def _is_worker(process: psutil.Process) -> bool:
    """Tell whether it is a worker, and not the process that they are forked from."""
    is_forked = "service.media_worker" in process.cmdline()
    parent = process.parent()
    return is_forked and parent is not None and "service.media_worker" in parent.cmdline()


def _is_documented(how: str) -> bool:
    code, _, reason = how.partition(" ")
    return bool(OWN_DOING & {code, how}) or reason in _REASONS - {"INTERNAL", "UNSPECIFIED"}


def _print_held(when: str, held: Held) -> None:
    print(f"{when}: {held}", flush=True)


def _print_outcomes(outcomes: Counter[tuple[str, str]]) -> None:
    print(f"{'call':14}{'ended':52}{'times':>8}")
    for (kind, how), times in sorted(outcomes.items()):
        print(f"{kind:14}{how:52}{times:8}")
    print(f"{'all':66}{sum(outcomes.values()):8}")


if __name__ == "__main__":
    main()
