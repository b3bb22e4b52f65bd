"""A URL is read in one way, and what could be read in two is refused."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from service.media.fetch.host import Host, parse_host
from service.media.fetch.media_url import MediaUrl, parse_media_url, redirected


@pytest.mark.parametrize(
    ("text", "expected", "written"),
    [
        ("http://a.example", MediaUrl("http", "a.example", 80, "/"), "http://a.example/"),
        ("HTTPS://A.Example./b", MediaUrl("https", "a.example", 443, "/b"), "https://a.example/b"),
        (
            "http://a.example:8080?b=c#d",
            MediaUrl("http", "a.example", 8080, "/?b=c"),
            "http://a.example:8080/?b=c",
        ),
        ("http://a.example:/b", MediaUrl("http", "a.example", 80, "/b"), "http://a.example/b"),
        (
            "https://[2001:DB8::1]:444/",
            MediaUrl("https", ip_address("2001:db8::1"), 444, "/"),
            "https://[2001:db8::1]:444/",
        ),
        (
            "http://192.0.2.1/ä|%20%zz",
            MediaUrl("http", ip_address("192.0.2.1"), 80, "/%C3%A4%7C%20%zz"),
            "http://192.0.2.1/%C3%A4%7C%20%zz",
        ),
        (
            "http://a_b.example/@c:d//e/../f",
            MediaUrl("http", "a_b.example", 80, "/@c:d//e/../f"),
            "http://a_b.example/@c:d//e/../f",
        ),
    ],
)
def test_a_url_is_taken_apart_and_written_again(
    text: str, expected: MediaUrl, written: str
) -> None:
    assert parse_media_url(text) == expected
    assert str(expected) == written
    assert parse_media_url(written) == expected


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("EXAMPLE.com", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("１２７.0.0.1", ip_address("127.0.0.1")),
        ("127。0。0。1", ip_address("127.0.0.1")),
        ("192.0.2.1.", ip_address("192.0.2.1")),
        ("[::FFFF:192.0.2.1]", ip_address("::ffff:192.0.2.1")),
        ("1.example", "1.example"),
        ("0x7f.example", "0x7f.example"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: Host) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "127.1",
        "0x7f000001",
        "0x",
        "2130706433",
        "0177.0.0.1",
        "1.2.3.4.5",
        "256.0.0.1",
        "a.1",
        "",
        ".",
        "a..b",
        "-a.example",
        "a-.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "a%2eexample",
        "a*b",
        "xn--a\u200d.example",
        "\u2488.example",
        "[::1",
        "[127.0.0.1]",
        "[::1%25eth0]",
        "[v1.x]",
    ],
)
def test_a_host_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|address"):
        parse_host(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://a.example:99999/",
        "http://a.example:0/",
        "http://a.example:8a/",
        "http://a.example:-1/",
        "http://a.example:８０/",
        "http://a.example/\x85",
        "http://a.example/\xa0",
        "http://user:hunter2@a.example/",
        "http://@a.example/",
        "https//a.example/",
        "a.example",
    ],
)
def test_a_url_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A[^\x7f-\xff]+\Z") as caught:
        parse_media_url(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"/c", "http://a.example:81/c"),
        (b"c?d", "http://a.example:81/b/c?d"),
        (b"//b.example/c", "http://b.example/c"),
        (b"https://b.example", "https://b.example/"),
        (b"#here", "http://a.example:81/b/"),
        ("/k\u00e4".encode(), "http://a.example:81/k%C3%A4"),
    ],
)
def test_a_location_is_relative_to_its_url(location: bytes, target: str) -> None:
    assert str(redirected(parse_media_url("http://a.example:81/b/"), location)) == target


@pytest.mark.parametrize("location", [b"/a b", b"\xff", b"mailto:a@b", b"http://[", b"/a\tb"])
def test_a_location_that_is_none_is_refused(location: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - also Python's own, of the same meaning
        redirected(parse_media_url("http://a.example/"), location)
