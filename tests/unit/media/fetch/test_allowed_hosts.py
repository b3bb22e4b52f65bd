"""The operator's list allows what it names, and nothing near it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from service.errors import StartupError
from service.media.fetch.allowed_hosts import AllowedHosts
from service.media.fetch.host import parse_host


@pytest.mark.parametrize(
    ("entry", "host", "port", "is_allowed"),
    [
        ("example.com", "example.com", 80, True),
        ("example.com", "example.com", 443, True),
        ("example.com", "example.com", 8080, False),
        ("example.com", "a.example.com", 80, False),
        ("example.com", "badexample.com", 80, False),
        ("example.com", "example.com.evil.org", 80, False),
        ("EXAMPLE.com.", "example.com", 80, True),
        ("bücher.example", "xn--bcher-kva.example", 80, True),
        ("example.com:8080", "example.com", 8080, True),
        ("example.com:8080", "example.com", 80, False),
        ("*.example.com", "a.example.com", 443, True),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "badexample.com", 443, False),
        ("*.example.com:81", "a.example.com", 81, True),
        ("*.example.com:81", "a.example.com", 80, False),
        ("*", "anything.example", 80, True),
        ("*", "93.184.216.34", 443, True),
        ("*", "anything.example", 22, False),
        ("*:81", "anything.example", 81, True),
        ("*:81", "anything.example", 80, False),
        ("192.0.2.7", "192.0.2.7", 80, True),
        ("192.0.2.7", "192.0.2.8", 80, False),
        ("192.0.2.7:81", "192.0.2.7", 81, True),
        ("2001:db8::7", "[2001:db8::7]", 80, True),
        ("[2001:db8::7]", "[2001:db8::7]", 80, True),
        ("[2001:db8::7]:81", "[2001:db8:0::7]", 81, True),
        ("[2001:db8::7]:81", "[2001:db8:0::7]", 80, False),
        (" example.com ", "example.com", 80, True),
    ],
)
def test_which_hosts_an_entry_allows(entry: str, host: str, port: int, is_allowed: bool) -> None:
    assert AllowedHosts([entry]).allows_host(parse_host(host), port) is is_allowed


def test_an_empty_list_allows_nothing() -> None:
    assert not AllowedHosts([]).allows_host("example.com", 80)


@pytest.mark.parametrize(
    ("entries", "host", "address", "is_allowed"),
    [
        (["a.example"], "a.example", "93.184.216.34", True),
        (["*"], "a.example", "93.184.216.34", True),
        # Private: for a host that is named, or an address that is.
        (["a.example"], "a.example", "10.0.0.1", True),
        (["a.example"], "a.example", "fd12::1", True),
        (["*"], "a.example", "10.0.0.1", False),
        (["*.example"], "a.example", "10.0.0.1", False),
        (["*.example", "10.0.0.1"], "a.example", "10.0.0.1", True),
        (["*.example", "10.0.0.1"], "a.example", "10.0.0.2", False),
        (["*.example", "10.0.0.1:81"], "a.example", "10.0.0.1", False),
        (["*", "10.0.0.1"], "10.0.0.1", "10.0.0.1", True),
        (["*"], "10.0.0.1", "10.0.0.1", False),
        # All else that is not public: for an address that is named.
        (["a.example"], "a.example", "127.0.0.1", False),
        (["a.example"], "a.example", "169.254.169.254", False),
        (["a.example"], "a.example", "::ffff:10.0.0.1", False),
        (["a.example", "127.0.0.1"], "a.example", "127.0.0.1", True),
        (["169.254.169.254"], "169.254.169.254", "169.254.169.254", True),
        (["::ffff:10.0.0.1"], "[::ffff:10.0.0.1]", "::ffff:10.0.0.1", True),
        (["10.0.0.1"], "[::ffff:10.0.0.1]", "::ffff:10.0.0.1", False),
        (["localhost"], "localhost", "127.0.0.1", True),
        (["localhost"], "localhost", "::1", True),
        (["*"], "localhost", "127.0.0.1", False),
        (["localhost"], "localhost", "169.254.1.1", False),
    ],
)
def test_which_addresses_a_list_allows(
    entries: list[str], host: str, address: str, is_allowed: bool
) -> None:
    allowed = AllowedHosts(entries)
    assert allowed.allows_address(parse_host(host), ip_address(address), 80) is is_allowed


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "http://example.com",
        "example.com/path",
        "user@example.com",
        "example.com:0",
        "example.com:65536",
        "example.com:http",
        "example.com:",
        "*example.com",
        "a.*.com",
        "**",
        "*.",
        "*.10.0.0.1",
        "10.0.0.0/8",
        "10.1",
        "[10.0.0.1]",
        "[::1",
        "::1%lo",
        "fe80::1:2:3:4:5:6:7:8:9",
        "exa mple.com",
    ],
)
def test_an_entry_that_is_none_stops_the_start(entry: str) -> None:
    with pytest.raises(StartupError, match="--allowed-media-hosts"):
        AllowedHosts(["example.com", entry])
