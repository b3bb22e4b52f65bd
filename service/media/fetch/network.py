"""What a fetch reaches the world by: each part can be replaced, the check of addresses cannot."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

import certifi

from service.media.fetch.allowed_hosts import AllowedHosts
from service.media.fetch.dialler import Connector, connect
from service.media.fetch.name_resolver import NameResolver, SystemResolver


def default_ssl_context() -> ssl.SSLContext:
    """Trust the system's authorities, and certifi's where a system has none of its own."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@dataclass(frozen=True, slots=True)
class Network:
    """The operator's list, and the system's names, sockets and certificates."""

    allowed: AllowedHosts
    resolver: NameResolver = field(default_factory=SystemResolver)
    connector: Connector = connect
    ssl_context: ssl.SSLContext = field(default_factory=default_ssl_context)
