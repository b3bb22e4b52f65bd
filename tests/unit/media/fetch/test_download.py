"""What hosts answer, well or badly, becomes a medium or an error that is the caller's to read."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import zlib

import pytest

from service import __version__
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    MediaBudgetExceededError,
    MediaFetchFailedError,
    MediaFetchUnavailableError,
    MediaSourceForbiddenError,
)
from service.media.budget import ByteBudget
from service.media.encoded import EncodedMedia
from service.media.fetch.fetcher import Fetcher
from tests.unit.media.fetch.web import Internet, WebServer, head, page, raw, redirect
from tests.unit.media.open_media import open_media

FIELD = "conversation.messages[0].parts[1].image"
URL = "http://files.example/cat.png"
PATH = "/cat.png"
CAT = bytes(range(256)) * 1000
MAX_BYTES = 1 << 20


def fetch(fetcher: Fetcher, url: str = URL, max_bytes: int = MAX_BYTES):
    return fetcher.fetch(FIELD, url, caller="alice", max_bytes=max_bytes)


def content_of(medium: EncodedMedia) -> bytes:
    with medium:
        content = os.read(medium.fd, medium.size_bytes + 1)
        assert medium.sha256 == hashlib.sha256(content).digest()
    return content


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


async def test_the_body_of_a_200_is_the_medium(
    fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    web.pages[PATH] = page(CAT, "Content-Type: text/html")
    medium = await fetch(fetcher)
    assert budget.reserved_bytes == len(CAT)
    assert content_of(medium) == CAT


async def test_a_request_says_only_what_it_must(fetcher: Fetcher, web: WebServer) -> None:
    """No cookies, no credentials, no Referer, also after a redirect that sets some."""
    web.pages["/a?b=%20c"] = raw(
        head("302 Found", "Set-Cookie: a=b", f"Location: {PATH}", "Content-Length: 0")
    )
    web.pages[PATH] = page(CAT)
    (await fetch(fetcher, "http://FILES.example:80/a?b=%20c#d")).close()
    lines = [
        "Host: files.example",
        f"User-Agent: triptych/{__version__}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    first, second = web.heads
    assert first.rstrip().split("\r\n") == ["GET /a?b=%20c HTTP/1.1", *lines]
    assert second.rstrip().split("\r\n") == ["GET /cat.png HTTP/1.1", *lines]


async def test_characters_that_are_none_of_a_url_are_encoded(
    fetcher: Fetcher, web: WebServer
) -> None:
    web.pages["/k%C3%A4tzchen%7C%22.png?%F0%9F%90%88"] = page(CAT)
    (await fetch(fetcher, 'http://files.example/kätzchen|".png?🐈')).close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(status: int, fetcher: Fetcher, web: WebServer) -> None:
    web.pages["/1"] = redirect("/2?x=1", f"{status} Elsewhere")
    web.pages["/2?x=1"] = redirect(URL, f"{status} Elsewhere")
    web.pages[PATH] = page(CAT)
    assert content_of(await fetch(fetcher, "http://files.example/1")) == CAT


@pytest.mark.parametrize(("redirects", "is_followed"), [(5, True), (6, False)])
async def test_five_redirects_are_followed_and_no_more(
    redirects: int, is_followed: bool, fetcher: Fetcher, web: WebServer
) -> None:
    for number in range(redirects):
        web.pages[f"/{number}"] = redirect(f"/{number + 1}")
    web.pages[f"/{redirects}"] = page(CAT)
    if is_followed:
        (await fetch(fetcher, "http://files.example/0")).close()
    else:
        with pytest.raises(MediaFetchFailedError, match="redirects"):
            await fetch(fetcher, "http://files.example/0")
    assert web.accepts == 6


async def test_a_redirect_loop_ends(fetcher: Fetcher, web: WebServer) -> None:
    web.pages[PATH] = redirect(PATH)
    with pytest.raises(MediaFetchFailedError, match="more than 5 redirects"):
        await fetch(fetcher)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", MediaFetchFailedError),
        ("403 Forbidden", MediaFetchFailedError),
        ("401 Unauthorized", MediaFetchFailedError),
        ("204 No Content", MediaFetchFailedError),
        ("206 Partial Content", MediaFetchFailedError),
        ("300 Multiple Choices", MediaFetchFailedError),
        ("302 Found", MediaFetchFailedError),
        ("304 Not Modified", MediaFetchFailedError),
        ("408 Request Timeout", MediaFetchUnavailableError),
        ("429 Too Many Requests", MediaFetchUnavailableError),
        ("500 Internal Server Error", MediaFetchUnavailableError),
        ("503 Service Unavailable", MediaFetchUnavailableError),
    ],
)
async def test_other_statuses_are_errors_with_the_number_and_nothing_remote(
    status: str, error: type[Exception], fetcher: Fetcher, web: WebServer
) -> None:
    web.pages[PATH] = raw(head(status, "X-Reason: remote words") + b"remote words")
    with pytest.raises(error) as caught:
        await fetch(fetcher)
    assert caught.value.metadata == {
        "field": f"{FIELD}.source.url",
        "source": "url",
        "http_status": status[:3],
    }
    assert caught.value.message == f"{FIELD}.source.url: the host answers {status[:3]}"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200\x00OK\r\n\r\n",
        head("200 OK", "Content-Length: twelve"),
        head("200 OK", "Content-Length: -1"),
        head("200 OK", "Content-Length: 3", "Content-Length: 4"),
        head("200 OK", "Transfer-Encoding: gzip, chunked"),
        head("200 OK", "X: " + "x" * 200_000),
        head("200 OK", *[f"X-{number}: {'x' * 100}" for number in range(2000)]),
    ],
)
async def test_an_answer_that_is_no_http_is_a_failure(
    answer: bytes, fetcher: Fetcher, web: WebServer
) -> None:
    """Huge heads too: they are not read to their end."""
    web.pages[PATH] = raw(answer)
    with pytest.raises(MediaFetchFailedError, match=r"is not HTTP/1\.1, or its head is too long"):
        await fetch(fetcher)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_hanging_up_before_an_answer_is_unavailable(
    answer: bytes, fetcher: Fetcher, web: WebServer
) -> None:
    web.pages[PATH] = raw(answer)
    with pytest.raises(MediaFetchUnavailableError):
        await fetch(fetcher)


@pytest.mark.parametrize(
    "answer",
    [
        head("200 OK", "Content-Length: 100") + b"too short",
        head("200 OK", "Transfer-Encoding: chunked") + chunked(b"abc", end=b""),
        head("200 OK", "Transfer-Encoding: chunked") + b"fff\r\nabc",
        head("200 OK", "Transfer-Encoding: chunked") + b"zz\r\nabc\r\n0\r\n\r\n",
    ],
)
async def test_a_body_that_ends_too_early_is_no_medium(
    answer: bytes, fetcher: Fetcher, web: WebServer
) -> None:
    web.pages[PATH] = raw(answer)
    with pytest.raises(MediaFetchUnavailableError, match="ends too early, or is garbled"):
        await fetch(fetcher)


async def test_bytes_behind_the_content_length_are_not_the_bodys(
    fetcher: Fetcher, web: WebServer
) -> None:
    web.pages[PATH] = raw(head("200 OK", "Content-Length: 3") + b"catHTTP/1.1 200 OK\r\n\r\n")
    assert content_of(await fetch(fetcher)) == b"cat"


async def test_a_body_may_be_chunked_or_end_with_the_connection(
    fetcher: Fetcher, web: WebServer
) -> None:
    web.pages[PATH] = raw(
        head("200 OK", "Transfer-Encoding: chunked") + chunked(*[bytes([n]) for n in CAT[:5000]])
    )
    web.pages["/2"] = raw(head("200 OK") + CAT)
    assert content_of(await fetch(fetcher)) == CAT[:5000]
    assert content_of(await fetch(fetcher, "http://files.example/2")) == CAT


async def test_an_empty_body_is_a_failure(fetcher: Fetcher, web: WebServer) -> None:
    web.pages[PATH] = page(b"")
    with pytest.raises(MediaFetchFailedError, match="empty"):
        await fetch(fetcher)


@pytest.mark.parametrize(
    ("size_bytes", "is_too_large"), [(1000, False), (1001, True)], ids=["at", "over"]
)
@pytest.mark.parametrize("kind", ["length", "chunked", "gzip", "to the end"])
async def test_the_limit_is_exact(
    kind: str, size_bytes: int, is_too_large: bool, fetcher: Fetcher, web: WebServer
) -> None:
    body = CAT[:size_bytes]
    web.pages[PATH] = {
        "length": page(body),
        "chunked": raw(head("200 OK", "Transfer-Encoding: chunked") + chunked(body)),
        "gzip": page(gzip.compress(body), "Content-Encoding: gzip"),
        "to the end": raw(head("200 OK") + body),
    }[kind]
    if not is_too_large:
        assert content_of(await fetch(fetcher, max_bytes=1000)) == body
        return
    with pytest.raises(LimitExceededError) as caught:
        await fetch(fetcher, max_bytes=1000)
    assert caught.value.metadata == {
        "field": FIELD,
        "limit": "part_bytes",
        "limit_value": "1000",
        "actual": "1001",
    }


async def test_a_content_length_over_the_limit_is_refused_before_the_body(
    fetcher: Fetcher, web: WebServer
) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", f"Content-Length: {10**15}"))
        await asyncio.Event().wait()

    web.pages[PATH] = send
    with pytest.raises(LimitExceededError, match=str(10**15)):
        await fetch(fetcher)


async def test_an_endless_body_is_cut_at_the_limit(
    fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    sent = 0

    async def send(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head("200 OK", "Transfer-Encoding: chunked"))
        while True:
            writer.write(chunked(CAT, end=b""))
            await writer.drain()
            sent += len(CAT)

    web.pages[PATH] = send
    with pytest.raises(LimitExceededError):
        await fetch(fetcher)
    await web.hung_up.wait()
    # What the two ends of a socket may hold comes on top.
    assert sent < MAX_BYTES + (32 << 20)
    assert budget.reserved_bytes == 0


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
async def test_a_bomb_is_cut_at_the_limit(
    compress, fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    """100 MB in 100 kB."""
    bomb = compress(bytes(100 << 20))
    coding = "gzip" if compress is gzip.compress else "deflate"
    web.pages[PATH] = page(bomb, f"Content-Encoding: {coding}")
    with pytest.raises(LimitExceededError) as caught:
        await fetch(fetcher)
    assert int(caught.value.metadata["actual"]) <= MAX_BYTES + (64 << 10)
    assert budget.reserved_bytes == 0


async def test_endless_empty_members_are_cut_at_the_limit(fetcher: Fetcher, web: WebServer) -> None:
    """gzip may have members that hold nothing: then the bytes on the wire are counted."""
    web.pages[PATH] = raw(head("200 OK", "Content-Encoding: gzip") + gzip.compress(b"") * 200)
    with pytest.raises(LimitExceededError):
        await fetch(fetcher, max_bytes=1000)


async def test_the_event_loop_runs_while_a_bomb_is_inflated(
    fetcher: Fetcher, web: WebServer
) -> None:
    """16 MiB that come in one read are given out in 256 pieces, and others run in between."""
    turns, is_running = 0, True

    def count() -> None:
        nonlocal turns
        turns += 1
        if is_running:
            asyncio.get_running_loop().call_soon(count)

    web.pages[PATH] = page(gzip.compress(bytes(16 << 20)), "Content-Encoding: gzip")
    count()
    (await fetch(fetcher, max_bytes=16 << 20)).close()
    is_running = False
    assert turns > 256


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress", "aes128gcm"])
async def test_other_content_codings_are_a_failure(
    coding: str, fetcher: Fetcher, web: WebServer
) -> None:
    web.pages[PATH] = page(CAT, f"Content-Encoding: {coding}")
    with pytest.raises(MediaFetchFailedError, match="was not asked for"):
        await fetch(fetcher)


async def test_a_body_that_is_not_its_coding_is_a_failure(fetcher: Fetcher, web: WebServer) -> None:
    web.pages[PATH] = page(CAT, "Content-Encoding: gzip")
    with pytest.raises(MediaFetchFailedError, match="is not what its Content-Encoding says"):
        await fetch(fetcher)


async def test_the_budget_is_for_all_fetches_together(
    fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    web.pages[PATH] = page(CAT)
    others = budget.open("another part")
    others.grow((64 << 20) - len(CAT) + 1)
    with pytest.raises(MediaBudgetExceededError) as caught:
        await fetch(fetcher)
    assert caught.value.metadata["field"] == FIELD
    others.close()
    (await fetch(fetcher)).close()


async def trickle(writer: asyncio.StreamWriter) -> None:
    """Send a byte again and again, each long before anybody would call the host silent."""
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.002)


async def test_a_slow_loris_head_is_cut(fetcher_of, web: WebServer) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        await trickle(writer)

    web.pages[PATH] = send
    with pytest.raises(MediaFetchUnavailableError, match="did not answer in time"):
        await fetch(fetcher_of("files.example", first_byte_s=0.1))
    await web.hung_up.wait()


async def test_a_silent_host_is_cut(fetcher_of, web: WebServer) -> None:
    async def wait(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    web.pages[PATH] = wait
    with pytest.raises(MediaFetchUnavailableError, match="did not answer in time"):
        await fetch(fetcher_of("files.example", first_byte_s=0.1))


async def test_a_slow_loris_body_is_cut(fetcher_of, web: WebServer) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", "Content-Length: 1000000"))
        await trickle(writer)

    web.pages[PATH] = send
    with pytest.raises(MediaFetchUnavailableError, match=r"took longer than 0\.2 s"):
        await fetch(fetcher_of("files.example", total_s=0.2))
    await web.hung_up.wait()


async def test_the_total_time_is_for_all_hops(fetcher_of, web: WebServer) -> None:
    """Each hop answers within its own time; together they take too long."""

    async def send(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.06)
        await redirect(PATH)(writer)

    web.pages[PATH] = send
    with pytest.raises(MediaFetchUnavailableError, match="took longer than"):
        await fetch(fetcher_of("files.example", total_s=0.2))
    assert 1 < web.accepts < 6


async def test_a_host_that_refuses_connections_is_unavailable(
    fetcher: Fetcher, internet: Internet
) -> None:
    internet.ports = dict.fromkeys(internet.ports, 1)
    with pytest.raises(MediaFetchUnavailableError, match="cannot be reached") as caught:
        await fetch(fetcher)
    assert "93.184" not in caught.value.message


async def test_no_more_connections_than_allowed_are_open(fetcher_of, web: WebServer) -> None:
    fetcher = fetcher_of("files.example", max_connections=2)
    go, open_now, most = asyncio.Event(), 0, 0

    async def send(writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        if open_now == 2:
            go.set()
        await go.wait()
        open_now -= 1
        await page(CAT)(writer)

    web.pages.update({f"/{number}": send for number in range(6)})
    media = await asyncio.gather(
        *(fetch(fetcher, f"http://files.example/{number}") for number in range(6))
    )
    for medium in media:
        medium.close()
    assert most == 2


async def test_a_url_that_is_none_is_the_callers_mistake(fetcher: Fetcher) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await fetch(fetcher, "not a url")
    assert caught.value.metadata["field"] == f"{FIELD}.source.url"
    with pytest.raises(InvalidRequestError, match="8192"):
        await fetch(fetcher, "http://files.example/" + "x" * 8192)


async def test_a_downgrade_is_not_followed(fetcher_of, internet: Internet, web: WebServer) -> None:
    """Told apart from a host that is not allowed: this one is."""
    from service.media.fetch.media_url import parse_media_url, redirected

    with pytest.raises(ValueError, match="from https to http"):
        redirected(parse_media_url("https://files.example/"), b"http://files.example/")
    assert redirected(parse_media_url("http://files.example/"), b"https://files.example/")


async def test_nothing_is_open_after_all_that(fetcher: Fetcher, web: WebServer) -> None:
    web.pages[PATH] = page(CAT)
    medium = await fetch(fetcher)
    assert open_media() == 2  # the fetch's, and this one's
    medium.close()
    assert open_media() == 0
    with pytest.raises(MediaSourceForbiddenError):
        await fetch(fetcher, "http://elsewhere.example/")
