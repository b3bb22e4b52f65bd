"""TLS is verified against the host of the URL, whatever address is dialled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.errors import MediaFetchFailedError, MediaFetchUnavailableError
from service.media.fetch.fetcher import Fetcher
from tests.unit.media.fetch.certificates import Authority
from tests.unit.media.fetch.web import PUBLIC, Internet, WebServer, page
from tests.unit.media.open_media import open_sockets, until


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def secure(
    sockets_are_closed: None, authority: Authority, internet: Internet, tmp_path: Path
) -> AsyncIterator[WebServer]:
    """`files.example` with a certificate, at port 443 of a public address."""
    server = WebServer()
    await server.start(ssl=authority.server_context("files.example", tmp_path))
    server.pages["/"] = page(b"cat")
    internet.ports[PUBLIC, 443] = server.port
    internet.names["other.example"] = [[str(PUBLIC)]]
    yield server
    await server.aclose()


@pytest.fixture
def trusting(fetcher_of, authority: Authority) -> Fetcher:
    return fetcher_of("*", ssl_context=authority.client_context())


def fetch(fetcher: Fetcher, url: str):
    return fetcher.fetch("part", url, caller="alice", max_bytes=100)


async def test_a_certificate_of_the_urls_host_is_good(trusting: Fetcher, secure: WebServer) -> None:
    with await fetch(trusting, "https://files.example/") as medium:
        assert medium.size_bytes == 3


@pytest.mark.parametrize("host", ["other.example", str(PUBLIC)])
async def test_a_certificate_of_another_host_is_a_failure(
    host: str, trusting: Fetcher, secure: WebServer
) -> None:
    """The same address, the same server; only the name is another."""
    with pytest.raises(MediaFetchFailedError, match="certificate"):
        await fetch(trusting, f"https://{host}/")
    assert secure.heads == []


async def test_an_unknown_authority_is_a_failure(fetcher_of, secure: WebServer) -> None:
    with pytest.raises(MediaFetchFailedError, match="certificate"):
        await fetch(fetcher_of("*"), "https://files.example/")
    assert secure.heads == []


async def test_a_host_without_tls_is_a_failure(
    trusting: Fetcher, internet: Internet, web: WebServer
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        internet.ports[PUBLIC, 443] = server.sockets[0].getsockname()[1]
        with pytest.raises(MediaFetchFailedError, match="TLS"):
            await fetch(trusting, "https://files.example/")


async def test_a_handshake_that_never_ends_is_cut(
    fetcher_of, authority: Authority, internet: Internet, web: WebServer
) -> None:
    """And its socket closed, although TLS is not there yet to close it."""
    hung_up = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        hung_up.set()
        writer.close()

    before = open_sockets()
    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        internet.ports[PUBLIC, 443] = server.sockets[0].getsockname()[1]
        fetcher = fetcher_of("*", ssl_context=authority.client_context(), first_byte_s=0.1)
        with pytest.raises(MediaFetchUnavailableError, match="did not answer in time"):
            await fetch(fetcher, "https://files.example/")
        await hung_up.wait()
    await until(lambda: open_sockets() <= before)


async def test_a_downgrade_to_http_is_not_followed(
    trusting: Fetcher, internet: Internet, secure: WebServer, web: WebServer
) -> None:
    from tests.unit.media.fetch.web import redirect

    secure.pages["/"] = redirect("http://files.example/")
    with pytest.raises(MediaFetchFailedError, match="redirects to what is not followed"):
        await fetch(trusting, "https://files.example/")
    assert web.accepts == 0
