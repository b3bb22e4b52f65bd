"""Counters for Prometheus; `--metrics-listen` shows them, beside vLLM's own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter, Gauge, start_http_server

from service.errors import StartupError

MEDIA_PARTS = Counter(
    "triptych_media_parts_total",
    "Media parts that were ready for the engine: prepared for it, or found prepared.",
    ("modality", "result"),
)
MEDIA_WORKERS_ENDED = Counter(
    "triptych_media_workers_ended_total",
    "Media workers that ended in the middle of a task, by the reason.",
    ("reason",),
)
REQUESTS = Gauge(
    "triptych_requests",
    "Requests for an answer, an embedding or a prompt that are here now, by what is done for them.",
    ("stage",),
)
REQUESTS_ADMITTED = Counter(
    "triptych_requests_admitted_total", "Requests that the engine was given."
)
REQUESTS_REFUSED = Counter(
    "triptych_requests_refused_total",
    "Requests that were refused before the engine was given them, by what there was no room in.",
    ("limit",),
)
_ENGINE_REQUESTS = Gauge(
    "triptych_engine_requests", "Requests that the engine holds, by its own count."
)
_TASKS = Gauge("triptych_tasks", "Tasks of the server's event loop.")
_MEDIA_BYTES = Gauge(
    "triptych_media_bytes", "Bytes of media that the server holds, by what for.", ("held",)
)


def watch_media_bytes(held: str, size_bytes: Callable[[], float]) -> None:
    """Show what a function returns whenever the metrics are read."""
    _MEDIA_BYTES.labels(held).set_function(size_bytes)


def watch_engine_requests(count: Callable[[], float]) -> None:
    """Show what a function returns whenever the metrics are read."""
    _ENGINE_REQUESTS.set_function(count)


def watch_tasks(count: Callable[[], float]) -> None:
    """Show what a function returns whenever the metrics are read."""
    _TASKS.set_function(count)


def serve_metrics(listen: str) -> Callable[[], None]:
    """Serve /metrics over HTTP at host:port; return what stops it. Raises StartupError."""
    host, _, port = listen.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]") or "127.0.0.1")
    except (OSError, ValueError, OverflowError) as exc:
        raise StartupError(
            f"cannot serve metrics on {listen}: {exc}; choose another with --metrics-listen "
            "host:port"
        ) from exc

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
