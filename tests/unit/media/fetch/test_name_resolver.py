"""The system's resolver, asked for what needs no network."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from service.media.fetch.name_resolver import SystemResolver


async def test_a_name_of_this_machine_has_addresses_of_this_machine() -> None:
    resolver = SystemResolver(threads=1)
    addresses = await resolver.addresses_of("localhost")
    resolver.close()
    assert addresses
    assert all(address.is_loopback for address in addresses)


async def test_addresses_come_as_the_system_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zone stays with its address, which is link-local and never public."""
    answers = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", 0, 0, 2)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answers)
    resolver = SystemResolver(threads=1)
    addresses = await resolver.addresses_of("a.example")
    resolver.close()
    assert addresses == [ip_address("fe80::1%eth0"), ip_address("192.0.2.1")]


async def test_a_name_that_is_none_is_an_oserror(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    resolver = SystemResolver(threads=1)
    with pytest.raises(OSError, match="not known"):
        await resolver.addresses_of("a.example")
    resolver.close()
