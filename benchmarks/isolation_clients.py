"""The two client processes of isolation.py: one reads a stream, the other sends the load.

They are apart from each other, and the load's is the machine's least urgent process: what the
reader sees is the server's doing. All times are CLOCK_MONOTONIC, which processes share.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Self

from benchmarks import media_samples
from benchmarks.isolation_calls import Calls

_PROMPT = "Tell a long story."
_READER_NICE = -10
_LOAD_NICE = 10


@dataclass
class Pieces:
    """When the pieces of some streams came (seconds), and how many tokens each brought."""

    streams: list[list[tuple[float, int]]] = field(default_factory=list)

    def gaps_s(self, since: float, until: float) -> list[float]:
        """Return the gaps between a stream's pieces with tokens that end in the window."""
        return [
            came - before
            for stream in self.streams
            for (before, _), (came, _) in itertools.pairwise(stream)
            if since <= came <= until
        ]

    def tokens(self, since: float, until: float) -> int:
        """Return how many tokens came in the window, other than a stream's first."""
        return sum(
            count for stream in self.streams for came, count in stream[1:] if since <= came <= until
        )


@dataclass(frozen=True)
class Load:
    """What is sent at once, by the media's numbers."""

    photos: range
    videos: range


class Reader:
    """Reads one text stream after the other until it is told to stop."""

    def __init__(self, calls: Calls, tokens_a_stream: int) -> None:
        self._run = _child(_read, calls, tokens_a_stream)

    def __enter__(self) -> Self:
        self._connection = self._run.__enter__()
        self._connection.recv()  # the first token has come
        return self

    def __exit__(self, *error: object) -> None:
        self._run.__exit__(*error)

    def stop(self) -> Pieces:
        """End it; return all that came."""
        self._connection.send(None)
        pieces: Pieces = self._connection.recv()
        return pieces


def send_load(calls: Calls, load: Load, question: str, at_start: Callable[[], None]) -> float:
    """Send a load from a process of its own and wait for all answers; return the seconds.

    Everything is prepared first; then `at_start` is called.
    """
    with _child(_send, calls, load, question) as connection:
        connection.recv()
        at_start()
        connection.send(None)
        seconds: float = connection.recv()
        return seconds


@contextlib.contextmanager
def _child(run: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _read(connection: Connection, calls: Calls, tokens_a_stream: int) -> None:
    with contextlib.suppress(PermissionError):  # without the right to, it goes on as it is
        os.nice(_READER_NICE)
    raw: list[list[tuple[float, bytes]]] = []
    while not connection.poll():
        raw.append([])
        request = calls.encode_text(f"{len(raw)}. {_PROMPT}", tokens_a_stream)
        with contextlib.closing(calls.stream(request)) as stream:
            for piece in stream:
                raw[-1].append((time.monotonic(), piece))
                if len(raw) == len(raw[0]) == 1:
                    connection.send(None)
                if connection.poll():
                    break
    counted = [[(came, calls.token_count(piece)) for came, piece in one] for one in raw]
    connection.send(Pieces([[(came, count) for came, count in one if count] for one in counted]))


def _send(connection: Connection, calls: Calls, load: Load, question: str) -> None:
    os.nice(_LOAD_NICE)
    photos = media_samples.photos(load.photos)
    videos = media_samples.videos(load.videos)
    requests = [calls.encode("video", data, question) for data in videos]
    requests += [calls.encode("photo", data, question) for data in photos]
    connection.send(None)
    connection.recv()
    started = time.monotonic()
    asyncio.run(calls.send_all(requests))
    connection.send(time.monotonic() - started)
