"""What a running server tells of its media: its metrics page, its workers, what it holds."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families


def metric(server: Any, name: str, **labels: str) -> float:
    """Return a value of the metrics page, as a scraper sees it; 0 where it has not come up yet."""
    with urllib.request.urlopen(f"http://{server.metrics_address}/metrics") as page:
        text = page.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def parts_counted(server: Any, result: str) -> float:
    """Return how many media parts were `prepared` or found `cached`, of all kinds."""
    return metric(server, "triptych_media_parts_total", result=result)


def held_bytes(server: Any) -> float:
    """Return the encoded bytes in flight."""
    return metric(server, "triptych_media_bytes", held="in_flight")


def requests_in(server: Any, stage: str) -> float:
    """Return how many requests are in a stage of their way."""
    return metric(server, "triptych_requests", stage=stage)


def media_workers(server: Any) -> list[Any]:
    """Return what the server knows of the workers that media wait for: one, while it lives."""
    pool = server.application._media._workers
    return [worker for worker in pool._workers.values() if worker.lane is pool._lane]


def tasks_of_worker(server: Any) -> int:
    """Return how many tasks the only worker was given."""
    (worker,) = media_workers(server)
    return worker.task_count


def worker_has_task(server: Any) -> bool:
    """Tell whether the only worker works."""
    return any(worker.task is not None for worker in media_workers(server))


def fork_server(server: Any) -> psutil.Process:
    """Return the process that workers are forked from."""
    pid = server.application._media._workers.fork_server_pid
    return psutil.Process(pid)


def worker_pid(server: Any) -> int:
    """Wait for the only worker to be idle, and return its process id."""
    server.wait_until(lambda: any(one.is_ready and one.pid for one in media_workers(server)))
    (worker,) = media_workers(server)
    return worker.pid


@contextmanager
def busy_worker(server: Any) -> Iterator[int]:
    """Keep the only worker from working while the block runs: it takes a task, and stops."""
    pid = worker_pid(server)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGCONT)
