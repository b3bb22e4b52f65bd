"""Host names to addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Protocol

from service.media.fetch.addresses import IPAddress


class NameResolver(Protocol):
    """Looks names up; what it answers is checked, never trusted."""

    async def addresses_of(self, name: str) -> Sequence[IPAddress]:
        """Return the addresses in the order of preference; raises OSError when there are none."""

    def close(self) -> None:
        """End what the resolver holds."""


class SystemResolver:
    """The system's resolver, in threads of its own: slow names must not hold up other work."""

    def __init__(self, threads: int = 8) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="media-names")

    async def addresses_of(self, name: str) -> Sequence[IPAddress]:
        """Ask getaddrinfo; an abandoned question ends when the system gives it up."""
        found = await asyncio.get_running_loop().run_in_executor(self._pool, _look_up, name)
        return [ip_address(str(info[4][0])) for info in found]

    def close(self) -> None:
        """Drop the questions that wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _look_up(name: str) -> Sequence[tuple[object, object, object, object, tuple[object, ...]]]:
    return socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
