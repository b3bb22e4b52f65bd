"""The host of a URL, in the one spelling that is compared, resolved and dialled.

    "EXAMPLE.com."   -> "example.com"
    "bücher.example" -> "xn--bcher-kva.example"
    "127。0。0。1"      -> IPv4Address("127.0.0.1")
    "127.1", "0177.0.0.1", "2130706433", "0x7f.1" -> ValueError

The operating system would read the last ones as addresses, each system in its own way; the WHATWG
URL standard ("ends in a number") treats them as addresses too. Here they are refused.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

import idna

from service.media.fetch.addresses import IPAddress

# A name is in lower case, in ASCII, without the dot of the root.
Host = str | IPAddress

_MAX_NAME_LENGTH = 253
# RFC 1123, 2.1, and the underscore, which real hosts have.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def parse_host(text: str) -> Host:
    """Return a URL's host, with IPv6 in its brackets; raises ValueError with what is wrong."""
    if text.startswith("["):
        return _parse_ipv6(text)
    name = _to_ascii(text).lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _parse_ipv4(name)
    if len(name) > _MAX_NAME_LENGTH or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("the host is not a name or an address")
    return name


def _parse_ipv6(text: str) -> IPv6Address:
    inner = text.removeprefix("[").removesuffix("]")
    # A zone (RFC 6874) is the caller's idea of our network cards.
    if not text.endswith("]") or "%" in inner:
        raise ValueError("the host is no IPv6 address in brackets")
    try:
        return IPv6Address(inner)
    except ValueError:
        raise ValueError("the host is no IPv6 address in brackets") from None


def _parse_ipv4(name: str) -> IPv4Address:
    try:
        return IPv4Address(name)
    except ValueError:
        raise ValueError("an IPv4 address is written as four decimal numbers") from None


def _to_ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("the host is not an internationalized domain name") from None
