"""Hostile files, sent to a whole server: it refuses or answers, and stays as small as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil

from tests.end_to_end.media_files import new_picture
from tests.end_to_end.media_parts import medium, part_of_file
from tests.end_to_end.media_state import fork_server, held_bytes, metric
from tests.end_to_end.requests import Refusal, answer, ask, joined_text, start_answer, text
from tests.unit.media.hostile import DECODED, INVALID, UNDECODABLE, HostileFile
from tests.unit.media.hostile_files import hostile_file, hostile_names

AT_ONCE = 8
BATCH = 20
# What the server's process may grow by; it is the tests' too, with eight requests of some megabytes
# in it twice.
SERVER_GROWTH_BYTES = 512_000_000
FORK_SERVER_GROWTH_BYTES = 50_000_000
# Below what a worker may have beyond what all of them share (`--media-worker-memory-mib`, 4 GiB).
# The model's processor takes 1.5 GB for an hour of sound, 1.1 GB for 64 million pixels.
WORKER_BYTES = 2_500_000_000
SAMPLE_EVERY_S = 0.02


class MemoryWatch:
    """The most that the server's processes had, seen many times a second."""

    def __init__(self, server: Any) -> None:
        self._server = psutil.Process()
        self._fork_server = fork_server(server)
        self._is_over = threading.Event()
        self._before = self._server.memory_info().rss, self._fork_server.memory_info().rss
        self._most = list(self._before)
        self.worker_bytes = 0
        self.worker_pids: set[int] = set()

    @property
    def server_growth_bytes(self) -> int:
        return self._most[0] - self._before[0]

    @property
    def growth_now_bytes(self) -> int:
        return self._server.memory_info().rss - self._before[0]

    @property
    def fork_server_growth_bytes(self) -> int:
        return self._most[1] - self._before[1]

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(SAMPLE_EVERY_S):
            self._most[0] = max(self._most[0], self._server.memory_info().rss)
            self._most[1] = max(self._most[1], self._fork_server.memory_info().rss)
            for worker in self._fork_server.children():
                self.worker_pids.add(worker.pid)
                self.worker_bytes = max(self.worker_bytes, _own_peak_bytes(worker.pid))


def _own_peak_bytes(pid: int) -> int:
    """Return the most that a worker had, without the pages that it shares with the fork server."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        shared = psutil.Process(pid).memory_full_info()
    except (OSError, psutil.Error):
        return 0
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return (peak << 10) - (shared.rss - shared.uss)


def outcome_of(generation: Any, file: HostileFile) -> str:
    """Send a file; return what became of it, as the decoders' own tests call it."""
    field = f"conversation.messages[0].parts[0].{file.modality}"
    try:
        answer(generation, ask(part_of_file(file), text("?"), max_tokens=1))
    except grpc.RpcError as error:
        refusal = Refusal(error)
        # No other status, no text from inside.
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT, refusal.message
        assert refusal.fields[0] == refusal.info.metadata["field"]
        if refusal.info.reason == "PROMPT_TOO_LONG":
            return DECODED
        assert refusal.fields[0].startswith(field), refusal.message
        assert not refusal.retry_after_s
        if "the model's processor does not take it" in refusal.message:
            return DECODED
        return {
            "LIMIT_EXCEEDED": refusal.info.metadata["limit"],
            "MEDIA_UNDECODABLE": UNDECODABLE,
            "INVALID_FIELD": INVALID,
        }[refusal.info.reason]
    return DECODED


def test_the_server_survives_every_hostile_file(server: Any, generation: Any) -> None:
    """Each is what the decoders' tests say; between them others are answered as ever."""
    names = hostile_names()
    files = {name: hostile_file(name) for name in names}
    picture = ask(medium("image", {"data": new_picture()}), text("What is this?"), max_tokens=8)
    usual = answer(generation, picture).outputs[0].text
    descriptors = psutil.Process().num_fds()
    ended = metric(server, "triptych_media_workers_ended_total")
    watch, wrong = MemoryWatch(server), {}

    with watch.watching(), ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            outcomes = pool.map(lambda name: outcome_of(generation, files[name]), batch)
            for name, outcome in zip(batch, outcomes, strict=True):
                # Without bytes, a request is wrong before anybody looks for a picture.
                expected = files[name].outcomes if files[name].data else (INVALID,)
                if outcome not in expected:
                    wrong[name] = (outcome, expected)
            assert answer(generation, picture).outputs[0].text == usual

    print(f"{len(names)} hostile files, {AT_ONCE} at once, one worker")
    grown = watch.server_growth_bytes, watch.growth_now_bytes
    print(f"server: {grown[0] / 1e6:+.0f} MB at most, {grown[1] / 1e6:+.0f} MB at the end")
    cached = metric(server, "triptych_media_bytes", held="prepared_cache")
    print(f"prepared media that are kept: {cached / 1e6:.0f} MB")
    print(f"fork server: {watch.fork_server_growth_bytes / 1e6:+.0f} MB at most")
    print(f"worker: {watch.worker_bytes / 1e6:.0f} MB of its own at most")
    ended = metric(server, "triptych_media_workers_ended_total") - ended
    print(f"workers that ended at work: {ended:.0f}")
    assert not wrong
    assert watch.server_growth_bytes < SERVER_GROWTH_BYTES
    assert watch.fork_server_growth_bytes < FORK_SERVER_GROWTH_BYTES
    assert 0 < watch.worker_bytes < WORKER_BYTES
    assert held_bytes(server) == 0
    server.wait_until(lambda: psutil.Process().num_fds() <= descriptors)


def test_a_running_stream_goes_on_among_hostile_files(generation: Any) -> None:
    """Text that is being written is the same with and without them."""
    count = ask(text("Count from one to twenty."), max_tokens=200, ignore_eos=True)
    usual = joined_text(generation.Generate(count))
    bombs = [name for name in hostile_names() if "bomb" in name or "million" in name]
    assert bombs

    stream = generation.Generate(count)
    first = next(iter(stream))
    calls = [
        start_answer(generation, ask(part_of_file(hostile_file(name)), max_tokens=1))
        for name in bombs
    ]

    assert first.HasField("started")
    assert joined_text(stream) == usual
    for call in calls:
        call.exception()
