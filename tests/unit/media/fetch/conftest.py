"""A web of two servers, one of which must never be reached, and fetchers that lose nothing."""

from __future__ import annotations

import functools
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from service.media.budget import ByteBudget
from service.media.fetch.allowed_hosts import AllowedHosts
from service.media.fetch.download import FetchTimeouts
from service.media.fetch.fetcher import Fetcher
from service.media.fetch.network import Network, default_ssl_context
from tests.unit.media.fetch.web import Internet, WebServer
from tests.unit.media.open_media import open_media, open_sockets, until

BUDGET_BYTES = 64 << 20


@functools.cache
def system_trust() -> ssl.SSLContext:
    """The default, which takes long to load."""
    return default_ssl_context()


@pytest.fixture
async def sockets_are_closed() -> AsyncIterator[None]:
    """After a test there are as many sockets as before, and no media."""
    before = open_sockets()
    yield
    await until(lambda: open_sockets() <= before)
    assert open_media() == 0


@pytest.fixture
async def web(sockets_are_closed: None) -> AsyncIterator[WebServer]:
    """A server that a test may reach."""
    server = WebServer()
    await server.start()
    yield server
    await server.aclose()


@pytest.fixture
async def forbidden(sockets_are_closed: None) -> AsyncIterator[WebServer]:
    """A server that no test of the fetcher may reach."""
    server = WebServer()
    await server.start()
    yield server
    await server.aclose()


@pytest.fixture
def internet(web: WebServer) -> Internet:
    """An internet with `files.example` in it."""
    internet = Internet()
    internet.host("files.example", web)
    return internet


@pytest.fixture
async def budget() -> AsyncIterator[ByteBudget]:
    """A budget that is whole again after the test."""
    budget = ByteBudget(BUDGET_BYTES)
    yield budget
    assert budget.reserved_bytes == 0


FetcherFactory = Callable[..., Fetcher]


@pytest.fixture
async def fetcher_of(internet: Internet, budget: ByteBudget) -> AsyncIterator[FetcherFactory]:
    """Makes a fetcher with a list of allowed hosts; closed after the test."""
    async with AsyncExitStack() as opened:

        def make(*allowed: str, ssl_context=None, max_connections=32, **timeouts) -> Fetcher:
            network = Network(
                AllowedHosts(allowed), internet, internet.connect, ssl_context or system_trust()
            )
            fetcher = Fetcher(
                budget,
                network,
                timeouts=FetchTimeouts(**timeouts),
                max_connections=max_connections,
            )
            opened.push_async_callback(fetcher.aclose)
            return fetcher

        yield make


@pytest.fixture
def fetcher(fetcher_of: FetcherFactory) -> Fetcher:
    """May fetch from `files.example`, with time enough for a slow machine."""
    return fetcher_of("files.example")
