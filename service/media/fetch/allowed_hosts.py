"""From which hosts, ports and addresses media may be fetched: the operator's list.

An entry is one of

    example.com       this host; not the hosts below it
    *.example.com     every host below example.com, at any depth; not example.com itself
    192.0.2.7         this address, written as such in a URL or resolved from an allowed name
    [2001:db8::7]     the same; brackets are needed only before a port
    *                 every host

with an optional `:port`. Without one the entry is for the ports 80 and 443.

An allowed name is half of the matter: whoever owns it chooses its addresses. So

* a public address is fine for every allowed host;
* a private one (RFC 1918, fc00::/7, 100.64.0.0/10) only for a host that is named exactly, without
  `*`, or when the address itself is named;
* every other one (loopback, link-local, metadata services, multicast, reserved, IPv6 with IPv4
  inside) only when the address itself is named. `localhost`, named exactly, names loopback
  (RFC 6761).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.errors import StartupError
from service.media.fetch.addresses import IPAddress, is_private_use, is_public
from service.media.fetch.host import Host, parse_host
from service.media.fetch.media_url import DEFAULT_PORTS

_FLAG = "--allowed-media-hosts"
_MAX_PORT = 65535
_USUAL_PORTS = frozenset(DEFAULT_PORTS.values())
_ENTRY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What one line of the list allows; `host` is empty for `*`."""

    host: Host
    is_pattern: bool
    ports: frozenset[int]

    def names(self, host: Host, port: int) -> bool:
        """Return whether the entry is this very host."""
        return not self.is_pattern and self.host == host and port in self.ports

    def covers(self, host: Host, port: int) -> bool:
        """Return whether the entry is this host, or a pattern for it."""
        if port not in self.ports or not self.is_pattern:
            return self.names(host, port)
        return not self.host or (isinstance(host, str) and host.endswith(f".{self.host}"))


class AllowedHosts:
    """The list; raises StartupError for an entry that is none of the forms above."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._entries = [_parse_entry(entry.strip()) for entry in entries]

    def allows_host(self, host: Host, port: int) -> bool:
        """Return whether a URL may name this host."""
        return any(entry.covers(host, port) for entry in self._entries)

    def allows_address(self, host: Host, address: IPAddress, port: int) -> bool:
        """Return whether an allowed host may be reached at this address, its own or resolved."""
        if is_public(address) or self._names(address, port):
            return True
        if not isinstance(host, str) or not self._names(host, port):
            return False
        return is_private_use(address) or (host == "localhost" and address.is_loopback)

    def _names(self, host: Host, port: int) -> bool:
        return any(entry.names(host, port) for entry in self._entries)


def _parse_entry(text: str) -> _Entry:
    # An IPv6 address has at least two colons, a port one.
    match = _ENTRY.fullmatch(f"[{text}]" if text.count(":") > 1 and "[" not in text else text)
    port = int(match[2]) if match is not None and match[2] else None
    if match is None or not match[1] or (port is not None and not 0 < port <= _MAX_PORT):
        raise StartupError(f"{_FLAG}: {text!r} is not a host with an optional port")
    ports = _USUAL_PORTS if port is None else frozenset({port})
    name = match[1]
    if name == "*":
        return _Entry("", is_pattern=True, ports=ports)
    try:
        host = parse_host(name.removeprefix("*."))
    except ValueError as exc:
        raise StartupError(f"{_FLAG}: {text!r}: {exc}") from exc
    if name.startswith("*.") and not isinstance(host, str):
        raise StartupError(f"{_FLAG}: {text!r}: there are no hosts below an address")
    return _Entry(host, is_pattern=name.startswith("*."), ports=ports)
