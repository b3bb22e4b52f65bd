"""Uploads that are refused, given up or cut off, each with nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    MediaBudgetExceededError,
    MediaStoreFullError,
)
from service.media.store.catalogue import caller_key
from service.media.store.media_store import MediaStore
from service.media.store.upload import Declaration, Upload, check_declared_type
from tests.unit.media.store.conftest import (
    MAX_MEDIUM_BYTES,
    StartStore,
    files_below,
    sha256,
    store_medium,
)

DATA = b"0123456789"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(5000)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(100)


async def refused(store: MediaStore, *chunks: bytes, **declared: object) -> InvalidRequestError:
    """Upload and return the refusal."""
    whole = b"".join(chunks)
    header = {
        "caller": "alice",
        "mime_type": "",
        "size_bytes": len(whole),
        "sha256": sha256(whole),
        **declared,
    }
    upload = await store.begin(**header)
    with pytest.raises(InvalidRequestError) as refusal:
        await send(upload, *chunks)
    await upload.abort()
    return refusal.value


async def send(upload: Upload, *chunks: bytes) -> None:
    for chunk in chunks:
        await upload.write(chunk)
    await upload.commit()


@pytest.mark.parametrize(
    ("chunks", "declared", "told"),
    [
        ((DATA, b"x"), {"size_bytes": 10}, "header.size_bytes: declares 10 bytes, but more came"),
        ((DATA,), {"size_bytes": 11}, "header.size_bytes: declares 11 bytes, but 10 came"),
        ((), {"size_bytes": 1}, "header.size_bytes: declares 1 bytes, but 0 came"),
        ((DATA,), {"sha256": sha256(b"other")}, "header.sha256: is not the SHA-256"),
        ((PNG,), {"mime_type": "image/jpeg"}, "header.mime_type: says 'image/jpeg', but the"),
        ((WAV,), {"mime_type": "audio/mpeg"}, "header.mime_type: says 'audio/mpeg', but the"),
        ((DATA,), {"mime_type": "video/mp4"}, "header.mime_type: says 'video/mp4', but the"),
    ],
)
async def test_bytes_that_are_not_what_was_declared_are_refused(
    store: MediaStore,
    directory: Path,
    chunks: tuple[bytes, ...],
    declared: dict[str, object],
    told: str,
) -> None:
    """With the field that is wrong."""
    refusal = await refused(store, *chunks, **declared)
    assert refusal.message.startswith(told)
    assert files_below(directory) == []
    assert store._shelf.taken_bytes == 0


async def test_one_byte_too_many_is_refused_before_it_is_written(
    store: MediaStore, directory: Path
) -> None:
    """Not at the end."""
    upload = await store.begin("alice", "", 10, sha256(DATA))
    await upload.write(DATA)
    with pytest.raises(InvalidRequestError, match="more came"):
        await upload.write(b"x")
    (file,) = (directory / "uploads").iterdir()
    assert file.stat().st_size == 10
    await upload.abort()


async def test_a_wrong_type_is_told_after_the_first_block(store: MediaStore) -> None:
    """The rest need not be sent; the head may come in any pieces."""
    upload = await store.begin("alice", "image/webp", len(PNG), sha256(PNG))
    for byte in PNG[:4095]:
        await upload.write(bytes([byte]))
    with pytest.raises(InvalidRequestError, match="the bytes are PNG"):
        await upload.write(PNG[4095:4096])
    await upload.abort()


@pytest.mark.parametrize(
    ("mime_type", "data"),
    [
        ("image/png", PNG),
        (" Image/PNG; charset=binary", PNG),
        ("application/octet-stream", DATA),
        ("", PNG),
        ("", DATA),
        ("audio/wav", WAV),
        ("audio/pcm", DATA),
        ("audio/pcm", b"BM" + bytes(50)),
    ],
)
async def test_a_type_that_agrees_or_says_nothing_is_stored(
    store: MediaStore, mime_type: str, data: bytes
) -> None:
    """Headerless samples, which may begin like anything, too."""
    await store_medium(store, data, mime_type=mime_type)
    assert (await store.find("alice", [sha256(data)]))[0] is not None


def test_a_refused_type_names_what_came() -> None:
    """As the caller wrote it."""
    with pytest.raises(InvalidRequestError, match="'image/gif'"):
        check_declared_type("image/gif", PNG)


async def test_the_largest_medium_is_stored_and_one_byte_more_is_refused_at_once(
    store: MediaStore, directory: Path
) -> None:
    """Before anything is sent."""
    await store_medium(store, bytes(MAX_MEDIUM_BYTES))
    with pytest.raises(LimitExceededError) as refusal:
        await store.begin("alice", "", MAX_MEDIUM_BYTES + 1, bytes(32))
    assert refusal.value.metadata == {
        "field": "header.size_bytes",
        "limit": "part_bytes",
        "limit_value": str(MAX_MEDIUM_BYTES),
        "actual": str(MAX_MEDIUM_BYTES + 1),
    }
    assert files_below(directory) == ["callers", "contents"]


async def test_what_can_never_fit_the_store_is_refused_at_once(start: StartStore) -> None:
    """Retrying would be of no use."""
    store = await start(max_bytes=16 << 10)
    await store_medium(store, bytes(8 << 10))
    with pytest.raises(LimitExceededError, match="store_bytes"):
        await store.begin("alice", "", (8 << 10) + 1, bytes(32))


async def test_uploads_at_once_are_bounded_for_each_caller_and_in_all(store: MediaStore) -> None:
    """An end of any kind makes place; callers without a name have the bound of all only."""

    async def begin(caller: str) -> object:
        return await store.begin(caller, "", 10, sha256(DATA))

    own = [await begin("alice") for _ in range(8)]
    with pytest.raises(MediaBudgetExceededError, match="uploads_of_caller"):
        await begin("alice")
    await own[0].abort()
    await own[0].abort()
    own[0] = await begin("alice")
    with pytest.raises(MediaBudgetExceededError):
        await begin("alice")
    unnamed = [await begin("") for _ in range(24)]
    with pytest.raises(MediaBudgetExceededError, match="uploads"):
        await begin("bob")
    await own[0].write(DATA)
    await own[0].commit()
    await own[0].abort()
    unnamed.append(await begin("bob"))
    for upload in own + unnamed:
        await upload.abort()
    assert not store._uploads
    assert await store.find("alice", [sha256(DATA)]) != [None]


async def test_an_aborted_upload_leaves_nothing(store: MediaStore, directory: Path) -> None:
    """No file and no room."""
    upload = await store.begin("alice", "", 10, sha256(DATA))
    await upload.write(DATA)
    await upload.abort()
    assert files_below(directory) == []
    assert store._shelf.taken_bytes == 0
    with pytest.raises(InvalidRequestError, match="has ended"):
        await upload.commit()
    await upload.write(b"")
    assert store._shelf.taken_bytes == 0


async def test_a_write_that_is_cancelled_and_still_runs_leaves_nothing(
    store: MediaStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end waits for the thread."""
    upload = await store.begin("alice", "", 10, sha256(DATA))
    is_writing, may_write = threading.Event(), threading.Event()
    grow = store._shelf.grow

    def grow_late(size_bytes: int, added_bytes: int) -> None:
        is_writing.set()
        may_write.wait(30)
        grow(size_bytes, added_bytes)

    monkeypatch.setattr(store._shelf, "grow", grow_late)
    writing = asyncio.create_task(upload.write(DATA))
    await asyncio.to_thread(is_writing.wait, 30)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    may_write.set()
    await upload.abort()
    assert files_below(directory) == []
    assert store._shelf.taken_bytes == 0


async def test_an_upload_cancelled_while_it_begins_leaves_nothing(
    store: MediaStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that is made late is removed; the place is free again."""
    is_making, may_make = threading.Event(), threading.Event()
    begin = store._shelf.begin

    def begin_late() -> object:
        is_making.set()
        may_make.wait(30)
        return begin()

    monkeypatch.setattr(store._shelf, "begin", begin_late)
    beginning = asyncio.create_task(store.begin("alice", "", 10, sha256(DATA)))
    await asyncio.to_thread(is_making.wait, 30)
    beginning.cancel()
    may_make.set()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    assert files_below(directory) == []
    assert not store._uploads
    assert store._shelf.taken_bytes == 0


async def test_an_upload_that_ended_before_its_file_was_made_makes_none(
    store: MediaStore, directory: Path
) -> None:
    """Threads may come in any order."""
    declared = Declaration(caller_key("alice"), "", 10, sha256(DATA))
    upload = Upload(store._shelf, declared, store._run, lambda: None)
    await upload.abort()
    await upload.open()
    assert files_below(directory) == []
    assert store._shelf.taken_bytes == 0


@pytest.mark.parametrize("call", ["write", "fsync"])
async def test_a_full_disk_is_told_and_nothing_half_is_left(
    store: MediaStore, directory: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whenever the disk notices; when there is place again, uploads work again."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        upload = await store.begin("alice", "", 10, sha256(DATA))
        patch.setattr(os, call, fail)
        with pytest.raises(MediaStoreFullError, match="disk of the media store is full"):
            await send(upload, DATA)
        await upload.abort()
    assert files_below(directory) == []
    assert store._shelf.taken_bytes == 0
    await store_medium(store, DATA)


@pytest.mark.parametrize("step", ["publish", "write_entry"])
async def test_a_disk_that_fails_in_the_last_step_leaves_nothing(
    store: MediaStore, directory: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Neither a content without a caller nor a caller without a content."""

    def fail(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with monkeypatch.context() as patch:
        patch.setattr(store._shelf._directory, step, fail)
        with pytest.raises(MediaStoreFullError):
            await store_medium(store, DATA)
    assert [kind for kind in files_below(directory) if kind != "uploads"] == []
    assert await store.find("alice", [sha256(DATA)]) == [None]


async def test_a_broken_disk_is_a_defect_and_no_wrong_answer(
    store: MediaStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the operator's to see."""

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    upload = await store.begin("alice", "", 10, sha256(DATA))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(OSError, match="Input/output error"):
            await upload.write(DATA)
    await upload.abort()
    assert files_below(directory) == []
    assert store._shelf.taken_bytes == 0
