"""The metrics page, over real HTTP."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.errors import StartupError
from service.telemetry.metrics import (
    MEDIA_PARTS,
    MEDIA_WORKERS_ENDED,
    serve_metrics,
    watch_media_bytes,
)


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def address() -> Iterator[str]:
    listen = free_address()
    stop = serve_metrics(listen)
    yield listen
    stop()


def value(address: str, name: str, **labels: str) -> float | None:
    """Read one value of the page."""
    with urllib.request.urlopen(f"http://{address}/metrics") as page:
        families = text_string_to_metric_families(page.read().decode())
    for family in families:
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


def test_counters_are_shown(address: str) -> None:
    """By kind and result, as dashboards ask for them."""
    labels = {"modality": "image", "result": "prepared"}
    before = value(address, "triptych_media_parts_total", **labels) or 0

    MEDIA_PARTS.labels("image", "prepared").inc()
    MEDIA_WORKERS_ENDED.labels("test").inc()

    assert value(address, "triptych_media_parts_total", **labels) == before + 1
    assert value(address, "triptych_media_workers_ended_total", reason="test") == 1


def test_a_watched_size_is_asked_for_whenever_the_page_is_read(address: str) -> None:
    sizes = iter([5.0, 7.0])
    watch_media_bytes("test", lambda: next(sizes))
    try:
        seen = [value(address, "triptych_media_bytes", held="test") for _ in range(2)]
    finally:
        watch_media_bytes("test", lambda: 0.0)  # the registry is the whole process's

    assert seen == [5.0, 7.0]


def test_the_page_is_gone_when_it_is_stopped() -> None:
    listen = free_address()
    serve_metrics(listen)()

    with pytest.raises(urllib.error.URLError):
        value(listen, "triptych_media_parts_total")
    serve_metrics(listen)()


def test_without_a_host_only_this_machine_is_served() -> None:
    port = free_address().rpartition(":")[2]
    stop = serve_metrics(f":{port}")
    try:
        assert value(f"127.0.0.1:{port}", "nothing") is None
    finally:
        stop()


def test_an_ipv6_address_is_written_in_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    port = free_address().rpartition(":")[2]
    stop = serve_metrics(f"[::1]:{port}")
    try:
        assert value(f"[::1]:{port}", "nothing") is None
    finally:
        stop()


@pytest.mark.parametrize(
    "listen", ["127.0.0.1", "127.0.0.1:high", "127.0.0.1:99999", "nowhere.invalid:1"]
)
def test_an_address_that_is_none_is_a_startup_error(listen: str) -> None:
    """It names the flag."""
    with pytest.raises(StartupError, match="--metrics-listen host:port"):
        serve_metrics(listen)


def test_a_port_that_is_taken_is_a_startup_error(address: str) -> None:
    with pytest.raises(StartupError, match=f"cannot serve metrics on {address}"):
        serve_metrics(address)
