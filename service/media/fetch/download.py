"""One download: from a URL, over its redirects, to the bytes of a 200.

Each hop is a request of its own: checked, resolved, checked, dialled, and its connection cut when
it is over. Connections are not kept: a pool would save a handshake now and then, and httpcore's
(1.0.9) loses connections for good when requests are cancelled while others wait
(https://github.com/encode/httpcore/issues/1093). Nothing of one request goes into another: no
cookies, no credentials, no Referer; proxies in the environment are not asked.

    200, 203                  the body is the medium; its Content-Type claims nothing for the caller
    301, 302, 303, 307, 308   followed, at most MAX_REDIRECTS times, never from https to http
    408, 425, 429, 5xx        unavailable; the same request may work later
    all else                  failed

Tested by tests/unit/media/fetch/test_download.py and, for what is never reached,
tests/unit/media/fetch/test_forbidden.py.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import cast

import httpcore

from service import __version__
from service.media.encoded import EncodedWriter
from service.media.fetch.content_coding import CodingError, Decoder, decoder_for
from service.media.fetch.dialler import CheckedDialler
from service.media.fetch.fetch_fault import FetchFault
from service.media.fetch.media_url import MediaUrl, redirected
from service.media.fetch.network import Network

MAX_REDIRECTS = 5

_GOOD = (200, 203)
_REDIRECTS = (301, 302, 303, 307, 308)
_TRY_AGAIN = (408, 425, 429)
_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class FetchTimeouts:
    """How long a fetch may take, in seconds.

    `first_byte_s` is for each hop's name, connection, handshake and response head; `total_s` is for
    everything, with the wait for a free connection.
    """

    first_byte_s: float = 5.0
    total_s: float = 30.0


async def download(
    url: MediaUrl, writer: EncodedWriter, network: Network, timeouts: FetchTimeouts
) -> None:
    """Write the medium at `url`; raises FetchFault, and what the writer raises at a limit."""
    for _ in range(MAX_REDIRECTS + 1):
        location = await _request(url, writer, network, timeouts.first_byte_s)
        if location is None:
            return
        try:
            url = redirected(url, location)
        except ValueError as exc:
            raise FetchFault.failed("the host redirects to what is not followed") from exc
        if not network.allowed.allows_host(url.host, url.port):
            raise FetchFault.forbidden(
                "the host redirects to one that is not on the server's list of allowed hosts"
            )
    raise FetchFault.failed(f"there are more than {MAX_REDIRECTS} redirects")


async def _request(
    url: MediaUrl, writer: EncodedWriter, network: Network, first_byte_s: float
) -> bytes | None:
    """Do one hop; return where it redirects to, or None when the medium has been written."""
    dialler = CheckedDialler(network.allowed, network.resolver, network.connector)
    try:
        response = await _head(url, dialler, network.ssl_context, first_byte_s)
        location = _redirect_of(response)
        if location is None:
            await _copy_body(response, writer)
        return location
    finally:
        dialler.close()


async def _head(
    url: MediaUrl, dialler: CheckedDialler, ssl_context: ssl.SSLContext, first_byte_s: float
) -> httpcore.Response:
    target = httpcore.URL(scheme=url.scheme, host=str(url.host), port=url.port, target=url.target)
    request = httpcore.Request(
        "GET",
        target,
        headers=[
            ("Host", url.authority),
            ("User-Agent", f"triptych/{__version__}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ],
        extensions={"timeout": {"connect": first_byte_s}},
    )
    connection = httpcore.AsyncHTTPConnection(
        target.origin, ssl_context=ssl_context, network_backend=dialler
    )
    with _faults_of_the_network():
        try:
            async with asyncio.timeout(first_byte_s):
                return await connection.handle_async_request(request)
        except httpcore.RemoteProtocolError as exc:
            if exc.__cause__ is None:  # else h11 says what is wrong with the head
                raise FetchFault.unavailable("the host hung up without an answer") from exc
            raise FetchFault.failed(
                "the host's answer is not HTTP/1.1, or its head is too long"
            ) from exc


def _redirect_of(response: httpcore.Response) -> bytes | None:
    status = response.status
    if status in _GOOD:
        return None
    if status in _REDIRECTS and (location := _header(response, b"location")) is not None:
        return location
    if status in _TRY_AGAIN or status >= _FIRST_SERVER_ERROR:
        raise FetchFault.unavailable(f"the host answers {status}", http_status=str(status))
    raise FetchFault.failed(f"the host answers {status}", http_status=str(status))


async def _copy_body(response: httpcore.Response, writer: EncodedWriter) -> None:
    """Write a body's content; the bytes on the wire are held to the limit as well."""
    decoder = _decoder_of(response)
    writer.expect(int(_header(response, b"content-length") or 0))
    wire_bytes = content_bytes = 0
    async with aclosing(_chunks_of(response)) as chunks:
        async for chunk in chunks:
            wire_bytes += len(chunk)
            writer.expect(wire_bytes)
            for piece in _pieces_of(decoder, chunk):
                content_bytes += len(piece)
                writer.write(piece)
                # One read can hold thousands of chunks, or megabytes of content.
                await asyncio.sleep(0)
    _finish(decoder)
    if not content_bytes:
        raise FetchFault.failed("the host answers with an empty body")


async def _chunks_of(response: httpcore.Response) -> AsyncGenerator[bytes, None]:
    # httpcore's streams are classes whose iterators are generators.
    stream = cast(
        "AsyncGenerator[bytes, None]", aiter(cast("AsyncIterable[bytes]", response.stream))
    )
    with _faults_of_the_network():
        try:
            async with aclosing(stream):
                async for chunk in stream:
                    yield chunk
        except httpcore.RemoteProtocolError as exc:
            raise FetchFault.unavailable("the host's answer ends too early, or is garbled") from exc


def _decoder_of(response: httpcore.Response) -> Decoder:
    encodings = [value for name, value in response.headers if name.lower() == b"content-encoding"]
    decoder = decoder_for(b",".join(encodings).decode("latin-1"))
    if decoder is None:
        raise FetchFault.failed("the host sends a Content-Encoding that was not asked for")
    return decoder


def _pieces_of(decoder: Decoder, chunk: bytes) -> Iterator[bytes]:
    with _faults_of_the_coding():
        yield from decoder.pieces(chunk)


def _finish(decoder: Decoder) -> None:
    with _faults_of_the_coding():
        decoder.finish()


def _header(response: httpcore.Response, wanted: bytes) -> bytes | None:
    return next((value for name, value in response.headers if name.lower() == wanted), None)


@contextmanager
def _faults_of_the_coding() -> Iterator[None]:
    try:
        yield
    except CodingError as exc:
        raise FetchFault.failed("the body is not what its Content-Encoding says") from exc


@contextmanager
def _faults_of_the_network() -> Iterator[None]:
    """Turn what sockets and TLS raise into what a caller may know of it."""
    try:
        yield
    except TimeoutError as exc:
        raise FetchFault.unavailable("the host did not answer in time") from exc
    except ssl.SSLError as exc:
        raise FetchFault.failed("TLS with the host failed; its certificate must be valid") from exc
    except OSError as exc:
        raise FetchFault.unavailable("the host cannot be reached") from exc
