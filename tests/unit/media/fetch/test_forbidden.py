"""Nothing forbidden is ever connected to: counted by the socket that would have been."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.errors import (
    InvalidRequestError,
    MediaFetchFailedError,
    MediaFetchUnavailableError,
    MediaSourceForbiddenError,
    TriptychError,
)
from service.media.fetch.fetcher import Fetcher
from tests.unit.media.fetch.web import OTHER_PUBLIC, PUBLIC, Internet, WebServer, page, redirect

FIELD = "conversation.messages[0].parts[1].image"
SECRET = b"the secret of the inside"
MAX_BYTES = 1 << 20

# What the resolver says of the names below.
NAMES: dict[str, list[Sequence[str]]] = {
    "localhost": [["127.0.0.1"]],
    "inside.example": [["127.0.0.1"]],
    "inside6.example": [["::1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "mixed.example": [[str(PUBLIC), "127.0.0.1"]],
    "unspecified.example": [["0.0.0.0"]],  # noqa: S104 - nothing listens there
    "metadata.example": [["169.254.169.254"]],
    "private.example": [["10.1.2.3"]],
    "multicast.example": [["224.0.0.251"]],
}
# Each would reach the forbidden server, or something like it, in a fetcher that is careless in
# one way. {port} is that server's.
URLS = [
    "http://127.0.0.1:{port}/",
    "http://127.8.9.10:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    # IPv4 within IPv6: mapped, compatible, NAT64, 6to4, Teredo, ISATAP.
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[2606:2800::5efe:7f00:1]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[::1%lo]:{port}/",
    # Other ways to write 127.0.0.1.
    "http://2130706433:{port}/",
    "http://017700000001:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7F.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0177.0.0.01:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.000.000.001:{port}/",
    "http://0:{port}/",
    "http://１２７.0.0.1:{port}/",
    "http://127。0。0。1:{port}/",
    "http://①②⑦.0.0.1:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.files.example:{port}/",
    # Userinfo, and what two parsers see differently.
    "http://files.example@127.0.0.1:{port}/",
    "http://files.example:80@127.0.0.1:{port}/",
    "http://files.example%40@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@files.example/",
    "http://files.example\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@files.example/",
    "http://127.0.0.1:{port}?@files.example/",
    "http://127.0.0.1:{port};@files.example/",
    "http://files.example @127.0.0.1:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://127.0.0.1:{port}:80/",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "\thttp://127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1:{port}/\r\nHost: files.example",
    "http://files.example/\r\n\r\nGET http://127.0.0.1:{port}/ HTTP/1.1",
    # Names that lead inside.
    "http://inside.example:{port}/",
    "http://inside6.example:{port}/",
    "http://mapped.example:{port}/",
    "http://mixed.example:{port}/",
    "http://unspecified.example:{port}/",
    "http://metadata.example/latest/meta-data/",
    "http://private.example/",
    "http://multicast.example/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]:{port}/",
    "http://100.64.0.1:{port}/",
    # Other schemes.
    "file:///etc/passwd",
    "file://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET",
    "ws://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/",
    "data:text/plain,hello",
    "jar:http://127.0.0.1:{port}/!/",
    "unix:///run/some.sock",
    "",
    "http://",
    "http://:{port}/",
]


@pytest.fixture
def inside(internet: Internet, forbidden: WebServer) -> WebServer:
    """The forbidden server, with something to steal, and names that lead to it."""
    internet.names.update({name: list(answers) for name, answers in NAMES.items()})
    forbidden.pages["/"] = page(SECRET)
    return forbidden


@pytest.fixture
def open_fetcher(fetcher_of, inside: WebServer) -> Fetcher:
    """May fetch from every public host, on the forbidden server's port as well."""
    return fetcher_of("*", f"*:{inside.port}")


async def test_the_forbidden_server_is_reached_when_its_address_is_named(
    fetcher_of, inside: WebServer
) -> None:
    """So a count of 0 below means something."""
    fetcher = fetcher_of(f"127.0.0.1:{inside.port}")
    url = f"http://127.0.0.1:{inside.port}/"
    with await fetcher.fetch(FIELD, url, caller="a", max_bytes=MAX_BYTES) as medium:
        assert medium.size_bytes == len(SECRET)
    assert inside.accepts == 1


@pytest.mark.parametrize("url", URLS)
async def test_a_url_to_the_inside_reaches_nothing(
    url: str, open_fetcher: Fetcher, internet: Internet, inside: WebServer
) -> None:
    with pytest.raises((MediaSourceForbiddenError, InvalidRequestError)) as caught:
        await open_fetcher.fetch(
            FIELD, url.format(port=inside.port), caller="a", max_bytes=MAX_BYTES
        )
    assert inside.accepts == 0
    assert internet.dialled == []
    assert caught.value.metadata["field"] == f"{FIELD}.source.url"


# A Location may be relative, or end with its line, so these lead to the redirecting host itself.
RELATIVE = {
    "",
    "http://",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http://files.example/\r\n\r\nGET http://127.0.0.1:{port}/ HTTP/1.1",
}


@pytest.mark.parametrize("url", [url for url in URLS if url not in RELATIVE])
async def test_a_redirect_to_the_inside_is_not_followed(
    url: str, open_fetcher: Fetcher, internet: Internet, web: WebServer, inside: WebServer
) -> None:
    web.pages["/"] = redirect(url.format(port=inside.port))
    with pytest.raises((MediaSourceForbiddenError, MediaFetchFailedError)) as caught:
        await open_fetcher.fetch(FIELD, "http://files.example/", caller="a", max_bytes=MAX_BYTES)
    assert inside.accepts == 0
    assert internet.dialled == [(str(PUBLIC), 80)]
    assert "127.0.0.1" not in caught.value.message
    assert str(inside.port) not in caught.value.message


@pytest.mark.parametrize("url", sorted(RELATIVE))
async def test_a_malformed_location_never_leaves_the_host(
    url: str, open_fetcher: Fetcher, internet: Internet, web: WebServer, inside: WebServer
) -> None:
    web.pages["/"] = redirect(url.format(port=inside.port))
    with pytest.raises(TriptychError):
        await open_fetcher.fetch(FIELD, "http://files.example/", caller="a", max_bytes=MAX_BYTES)
    assert inside.accepts == 0
    assert set(internet.dialled) == {(str(PUBLIC), 80)}


async def test_what_is_dialled_is_what_was_checked(
    fetcher: Fetcher, internet: Internet, web: WebServer, inside: WebServer
) -> None:
    """DNS rebinding: the name's second answer, the inside, is never asked for."""
    internet.names["files.example"] = [[str(PUBLIC)], ["127.0.0.1"]]
    web.pages["/cat.png"] = page(b"cat")
    medium = await fetcher.fetch(
        FIELD, "http://files.example/cat.png", caller="a", max_bytes=MAX_BYTES
    )
    medium.close()
    assert internet.asked == ["files.example"]
    assert internet.dialled == [(str(PUBLIC), 80)]


async def test_a_name_that_is_rebound_between_two_hops_is_refused(
    fetcher_of, internet: Internet, web: WebServer, inside: WebServer
) -> None:
    internet.names["files.example"] = [[str(PUBLIC)], ["127.0.0.1"]]
    internet.ports[PUBLIC, inside.port] = web.port
    fetcher = fetcher_of(f"files.example:{inside.port}")
    url = f"http://files.example:{inside.port}/"
    web.pages["/"] = redirect(url)
    with pytest.raises(MediaSourceForbiddenError, match="address"):
        await fetcher.fetch(FIELD, url, caller="a", max_bytes=MAX_BYTES)
    assert inside.accepts == 0
    assert internet.dialled == [(str(PUBLIC), inside.port)]


async def test_a_name_with_one_bad_address_is_not_dialled_at_its_good_one(
    open_fetcher: Fetcher, internet: Internet, web: WebServer
) -> None:
    internet.names["mixed.example"] = [[str(PUBLIC), "10.0.0.1"]]
    with pytest.raises(MediaSourceForbiddenError):
        await open_fetcher.fetch(FIELD, "http://mixed.example/", caller="a", max_bytes=MAX_BYTES)
    assert (web.accepts, internet.dialled) == (0, [])


async def test_the_next_address_is_tried_when_one_does_not_answer(
    fetcher: Fetcher, internet: Internet, web: WebServer
) -> None:
    internet.names["files.example"] = [["93.184.216.35", str(OTHER_PUBLIC), str(PUBLIC)]]
    internet.ports[OTHER_PUBLIC, 80] = 1  # nothing listens there
    internet.ports.update({(_public(35), 80): 1})
    web.pages["/"] = page(b"cat")
    (await fetcher.fetch(FIELD, "http://files.example/", caller="a", max_bytes=9)).close()
    assert [address for address, _ in internet.dialled] == [
        "93.184.216.35",
        str(OTHER_PUBLIC),
        str(PUBLIC),
    ]


async def test_a_host_that_is_not_listed_is_not_even_looked_up(
    fetcher: Fetcher, internet: Internet
) -> None:
    internet.names["other.example"] = [[str(PUBLIC)]]
    with pytest.raises(MediaSourceForbiddenError, match="--allowed-media-hosts") as caught:
        await fetcher.fetch(FIELD, "http://other.example/", caller="a", max_bytes=MAX_BYTES)
    assert caught.value.metadata["host"] == "other.example"
    assert (internet.asked, internet.dialled) == ([], [])


async def test_a_port_that_is_not_listed_is_refused(fetcher: Fetcher, internet: Internet) -> None:
    with pytest.raises(MediaSourceForbiddenError):
        await fetcher.fetch(FIELD, "http://files.example:22/", caller="a", max_bytes=MAX_BYTES)
    assert internet.dialled == []


async def test_a_redirect_to_a_host_that_is_not_listed_is_not_followed(
    fetcher: Fetcher, internet: Internet, web: WebServer
) -> None:
    internet.names["other.example"] = [[str(PUBLIC)]]
    web.pages["/"] = redirect("http://other.example/")
    with pytest.raises(MediaSourceForbiddenError) as caught:
        await fetcher.fetch(FIELD, "http://files.example/", caller="a", max_bytes=MAX_BYTES)
    assert "other.example" not in caught.value.message
    assert internet.asked == ["files.example"]


async def test_no_proxy_of_the_environment_is_asked(
    fetcher: Fetcher, web: WebServer, inside: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{inside.port}")
    web.pages["/"] = page(b"cat")
    (await fetcher.fetch(FIELD, "http://files.example/", caller="a", max_bytes=9)).close()
    assert (inside.accepts, web.accepts) == (0, 1)


async def test_a_name_without_addresses_is_unavailable(fetcher_of, internet: Internet) -> None:
    fetcher = fetcher_of("nowhere.example")
    with pytest.raises(MediaFetchUnavailableError):
        await fetcher.fetch(FIELD, "http://nowhere.example/", caller="a", max_bytes=MAX_BYTES)
    assert internet.dialled == []


def _public(last: int):
    return type(PUBLIC)(f"93.184.216.{last}")
