"""Every source gives an encoded file, and what is given up or fails leaves nothing behind."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from service.domain.conversation import (
    DataUri,
    InlineData,
    MediaSource,
    Origin,
    RemoteUrl,
    ServerPath,
    StoredMedia,
)
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    MediaBudgetExceededError,
    MediaNotFoundError,
    MediaSourceForbiddenError,
    MediaSourceUnsupportedError,
    TriptychError,
)
from service.media.budget import ByteBudget, Reservation
from service.media.encoded import EncodedMedia, EncodedWriter
from service.media.fetch.allowed_hosts import AllowedHosts
from service.media.fetch.fetcher import Fetcher
from service.media.fetch.network import Network
from service.media.sources.resolver import SourceResolver
from service.media.sources.server_path import ServerPaths
from tests.unit.media.fetch.web import Internet, WebServer, page
from tests.unit.media.open_media import open_media, until

FIELD = "conversation.messages[0].parts[1].image"
SMALL = b"\x89PNG and so on"
LARGE = bytes(range(256)) * (20 << 10)  # 5 MiB: copied in a thread
MAX_BYTES = 16 << 20
BUDGET_BYTES = 32 << 20


class Shelf:
    """Stores media as the resolver's store does: the same caller's, and nobody else's."""

    def __init__(self) -> None:
        self.media: dict[tuple[str, str], bytes] = {}

    async def open(
        self, field: str, media_id: str, caller: str, reservation: Reservation
    ) -> EncodedMedia:
        content = self.media.get((caller, media_id))
        if content is None:
            raise MediaNotFoundError("no such medium", field=f"{field}.source.media_id")
        writer = EncodedWriter(field, 1 << 30, reservation)
        try:
            writer.write(content)
            return writer.finish()
        finally:
            writer.close()


@pytest.fixture
async def budget() -> AsyncIterator[ByteBudget]:
    """A budget that is whole again after the test, when no medium is open."""
    budget = ByteBudget(BUDGET_BYTES)
    yield budget
    assert (budget.reserved_bytes, open_media()) == (0, 0)


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    server = WebServer()
    await server.start()
    yield server
    await server.aclose()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def resolver(
    budget: ByteBudget, web: WebServer, shelf: Shelf, tmp_path: Path
) -> AsyncIterator[SourceResolver]:
    """Has every source."""
    internet = Internet()
    internet.host("files.example", web)
    network = Network(AllowedHosts(["files.example"]), internet, internet.connect)
    resolver = SourceResolver(
        budget, fetcher=Fetcher(budget, network), paths=ServerPaths([tmp_path]), store=shelf
    )
    yield resolver
    await resolver.aclose()


def resolve(resolver: SourceResolver, source: MediaSource | Origin, max_bytes: int = MAX_BYTES):
    if not isinstance(source, MediaSource):
        source = MediaSource(source)
    return resolver.resolve(FIELD, source, caller="alice", max_bytes=max_bytes)


def data_uri(content: bytes, mime_type: str = "image/png") -> DataUri:
    return DataUri(f"data:{mime_type};base64,{base64.b64encode(content).decode()}")


KINDS = ["data", "data_uri", "url", "path", "media_id"]


Put = Callable[[str, bytes], Origin]


@pytest.fixture
def put(web: WebServer, shelf: Shelf, tmp_path: Path) -> Put:
    """Puts content where a source of a kind finds it; returns the source."""

    def put(kind: str, content: bytes) -> Origin:
        web.pages["/cat"] = page(content, "Content-Type: text/html")
        (tmp_path / "cat").write_bytes(content)
        shelf.media["alice", "cat"] = content
        origins: dict[str, Origin] = {
            "data": InlineData(content),
            "data_uri": data_uri(content),
            "url": RemoteUrl("http://files.example/cat"),
            "path": ServerPath(str(tmp_path / "cat")),
            "media_id": StoredMedia("cat"),
        }
        return origins[kind]

    return put


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_source_gives_its_bytes_and_pays_for_them(
    kind: str, content: bytes, resolver: SourceResolver, budget: ByteBudget, put: Put
) -> None:
    origin = put(kind, content)
    source = MediaSource(origin, "image/jpeg", hashlib.sha256(content).digest())
    resolved = await resolve(resolver, source)
    with resolved.encoded as medium:
        assert os.pread(medium.fd, len(content) + 1, 0) == content
        assert medium.size_bytes == budget.reserved_bytes == len(content)
        assert medium.sha256 == hashlib.sha256(content).digest()
    claims = ("image/jpeg", "image/png") if kind == "data_uri" else ("image/jpeg",)
    assert resolved.claimed_mime_types == claims


@pytest.mark.parametrize(
    ("source", "claims"),
    [
        (MediaSource(InlineData(SMALL)), ()),
        (MediaSource(InlineData(SMALL), ""), ()),
        (MediaSource(data_uri(SMALL, "")), ()),
        (MediaSource(data_uri(SMALL, "audio/wav")), ("audio/wav",)),
    ],
)
async def test_what_is_not_claimed_is_not_made_up(
    source: MediaSource, claims: tuple[str, ...], resolver: SourceResolver
) -> None:
    resolved = await resolve(resolver, source)
    resolved.encoded.close()
    assert resolved.claimed_mime_types == claims


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("kind", KINDS)
async def test_another_sha256_is_an_error(
    kind: str, content: bytes, resolver: SourceResolver, put: Put
) -> None:
    origin = put(kind, content)
    with pytest.raises(InvalidRequestError) as caught:
        await resolve(resolver, MediaSource(origin, None, hashlib.sha256(b"").digest()))
    assert caught.value.violations == [
        (f"{FIELD}.source.sha256", "is not the SHA-256 of the bytes")
    ]


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("kind", KINDS)
async def test_the_limit_is_exact_for_every_source(
    kind: str, content: bytes, resolver: SourceResolver, put: Put
) -> None:
    origin = put(kind, content)
    (await resolve(resolver, origin, max_bytes=len(content))).encoded.close()
    with pytest.raises(LimitExceededError) as caught:
        await resolve(resolver, origin, max_bytes=len(content) - 1)
    assert caught.value.metadata == {
        "field": FIELD,
        "limit": "part_bytes",
        "limit_value": str(len(content) - 1),
        "actual": str(len(content)),
    }


@pytest.mark.parametrize("kind", ["data", "data_uri", "url", "path"])
async def test_every_source_draws_on_the_budget(
    kind: str, resolver: SourceResolver, budget: ByteBudget, put: Put
) -> None:
    origin = put(kind, LARGE)
    with budget.open("another part") as others:
        others.grow(BUDGET_BYTES - len(LARGE) + 1)
        with pytest.raises(MediaBudgetExceededError) as caught:
            await resolve(resolver, origin)
        assert caught.value.metadata["field"] == FIELD
    (await resolve(resolver, origin)).encoded.close()


@pytest.mark.parametrize("kind", ["data", "data_uri", "path"])
async def test_nothing_is_no_medium(kind: str, resolver: SourceResolver, put: Put) -> None:
    with pytest.raises(InvalidRequestError, match="empty"):
        await resolve(resolver, put(kind, b""))


@pytest.mark.parametrize(
    ("kind", "flag"),
    [
        ("url", "--allowed-media-hosts"),
        ("path", "--allowed-media-roots"),
        ("media_id", "--media-store"),
    ],
)
async def test_a_source_that_is_off_names_its_flag(
    kind: str, flag: str, budget: ByteBudget, put: Put
) -> None:
    resolver = SourceResolver(budget, fetcher=None, paths=None, store=None)
    with pytest.raises(MediaSourceUnsupportedError, match=flag) as caught:
        await resolve(resolver, put(kind, SMALL))
    assert caught.value.metadata == {
        "field": f"{FIELD}.source.{kind}",
        "source": kind,
        "flag": flag,
    }
    (await resolve(resolver, InlineData(SMALL))).encoded.close()
    await resolver.aclose()


async def test_another_callers_medium_is_not_found(resolver: SourceResolver, shelf: Shelf) -> None:
    shelf.media["bob", "cat"] = SMALL
    with pytest.raises(MediaNotFoundError):
        await resolve(resolver, StoredMedia("cat"))


@pytest.mark.parametrize(
    "origin",
    [
        DataUri("data:image/png;base64,****"),
        DataUri("data:image/png;base64," + "AAAA" * (1 << 19) + "*AAA"),
        ServerPath("/etc/passwd"),
        RemoteUrl("http://127.0.0.1/"),
        RemoteUrl("http://files.example/missing"),
    ],
    ids=["short base64", "long base64", "path", "host", "404"],
)
async def test_what_fails_leaves_nothing_behind(origin: Origin, resolver: SourceResolver) -> None:
    """Checked by the budget's fixture."""
    with pytest.raises(TriptychError):
        await resolve(resolver, origin)


@pytest.mark.parametrize("turns", range(12))
@pytest.mark.parametrize("kind", KINDS)
async def test_cancelling_at_any_moment_leaves_nothing_behind(
    kind: str, turns: int, resolver: SourceResolver, budget: ByteBudget, put: Put
) -> None:
    """The moment is a number of turns of the event loop after the start."""
    task = asyncio.create_task(resolve(resolver, put(kind, LARGE)))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if not isinstance(result, BaseException):
        result.encoded.close()
    await until(lambda: (budget.reserved_bytes, open_media()) == (0, 0))


async def test_a_cancelled_call_leaves_the_closing_to_its_thread(
    resolver: SourceResolver,
    budget: ByteBudget,
    put: Put,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread is held in the middle of a write; its file stays open until it goes on."""
    entered, go_on = threading.Event(), threading.Event()
    real_write = os.write

    def held_write(fd: int, data: bytes) -> int:
        entered.set()
        go_on.wait()
        return real_write(fd, data)

    monkeypatch.setattr(os, "write", held_write)
    task = asyncio.create_task(resolve(resolver, put("data", LARGE)))
    await until(entered.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert open_media() == 1
    assert budget.reserved_bytes > 0
    go_on.set()
    await until(lambda: (budget.reserved_bytes, open_media()) == (0, 0))


async def test_what_a_thread_finished_for_a_cancelled_call_is_closed(
    resolver: SourceResolver, budget: ByteBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is past its last look at whether it is still wanted."""
    entered, go_on = threading.Event(), threading.Event()
    real_finish = EncodedWriter.finish

    def held_finish(writer: EncodedWriter) -> EncodedMedia:
        entered.set()
        go_on.wait()
        return real_finish(writer)

    monkeypatch.setattr(EncodedWriter, "finish", held_finish)
    task = asyncio.create_task(resolve(resolver, InlineData(LARGE)))
    await until(entered.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert open_media() == 1
    go_on.set()
    await until(lambda: (budget.reserved_bytes, open_media()) == (0, 0))


async def test_the_event_loop_runs_while_large_bytes_are_copied(
    resolver: SourceResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that waits for the loop would wait for ever if it were the loop's own."""
    loop_ran = threading.Event()
    real_write = os.write

    def waiting_write(fd: int, data: bytes) -> int:
        assert loop_ran.wait(timeout=60)
        return real_write(fd, data)

    monkeypatch.setattr(os, "write", waiting_write)
    asyncio.get_running_loop().call_soon(loop_ran.set)
    (await resolve(resolver, InlineData(LARGE))).encoded.close()


async def test_a_path_outside_of_the_roots_names_its_field(resolver: SourceResolver) -> None:
    with pytest.raises(MediaSourceForbiddenError) as caught:
        await resolve(resolver, ServerPath("/etc/passwd"))
    assert caught.value.metadata["field"] == f"{FIELD}.source.path"
