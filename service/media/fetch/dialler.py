"""The only way from here to a socket: names are resolved, checked and dialled in one place.

httpcore asks its network backend for a connection to a host; this backend resolves the host, checks
every address and dials one of those it has checked, as an address. Nothing resolves again, so a
name server that changes its mind (DNS rebinding) changes nothing; TLS still verifies the name.

When one of several addresses is forbidden, all are: no public name has a private address by right,
and choosing the good ones would make an attack a matter of trying often.
Tested by tests/unit/media/fetch/test_forbidden.py, by looking at the socket that is not reached.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import httpcore

from service.media.fetch.addresses import IPAddress
from service.media.fetch.allowed_hosts import AllowedHosts
from service.media.fetch.fetch_fault import FetchFault
from service.media.fetch.host import Host, parse_host
from service.media.fetch.name_resolver import NameResolver
from service.telemetry.logging import logger

Connector = Callable[[IPAddress, int], Awaitable[socket.socket]]

# More are not tried, so that a name with many dead addresses does not take a fetch's whole time.
_MAX_ADDRESSES = 4


async def connect(address: IPAddress, port: int) -> socket.socket:
    """Return a socket that is connected to exactly this address; raises OSError."""
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


class CheckedDialler(httpcore.AsyncNetworkBackend):
    """Dials allowed hosts at allowed addresses, for one connection; then `close`."""

    def __init__(
        self, allowed: AllowedHosts, resolver: NameResolver, connector: Connector = connect
    ) -> None:
        self._allowed = allowed
        self._resolver = resolver
        self._connect = connector
        self._transport: asyncio.WriteTransport | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Connect within `timeout` seconds; raises FetchFault when the host is not allowed."""
        checked = await self._checked_addresses(parse_host(_bracketed(host)), port)
        sock = await self._dial_one_of(checked[:_MAX_ADDRESSES], port, timeout)
        reader, writer = await asyncio.open_connection(sock=sock)
        self._transport = writer.transport
        return _SocketStream(reader, writer)

    def close(self) -> None:
        """Cut the connection, in whatever state it is; nothing waits for the peer."""
        if self._transport is not None:
            self._transport.abort()

    async def _checked_addresses(self, host: Host, port: int) -> Sequence[IPAddress]:
        if not self._allowed.allows_host(host, port):
            raise FetchFault.forbidden("the host is not on the server's list of allowed hosts")
        if isinstance(host, str):
            addresses = await self._resolver.addresses_of(host)
            if not addresses:
                raise OSError("a name without addresses")
        else:
            addresses = [host]
        for address in addresses:
            if not self._allowed.allows_address(host, address, port):
                logger.info("media: %s is not fetched from: its address is %s", host, address)
                raise FetchFault.forbidden("the host's address is not one that the server allows")
        return addresses

    async def _dial_one_of(
        self, addresses: Sequence[IPAddress], port: int, timeout_s: float | None
    ) -> socket.socket:
        share_s = None if timeout_s is None else timeout_s / len(addresses)
        failure: OSError | None = None
        for address in addresses:
            try:
                async with asyncio.timeout(share_s):
                    return await self._connect(address, port)
            except OSError as exc:  # TimeoutError is one
                failure = exc
        raise failure or OSError("no address")


class _SocketStream(httpcore.AsyncNetworkStream):
    """httpcore's stream on asyncio's. Whoever opened it bounds its time, and cuts it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
    ) -> bytes:
        return await self._reader.read(max_bytes)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
    ) -> None:
        self._writer.write(buffer)
        await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        return self._writer.get_extra_info(info)


def _bracketed(host: str) -> str:
    """Return a host as it stands in a URL; httpcore has IPv6 without brackets."""
    return f"[{IPv6Address(host)}]" if ":" in host else host
