"""What is stored is the caller's own, is bounded, and is whole."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from service.errors import MediaNotFoundError, MediaStoreFullError
from service.media.budget import ByteBudget
from service.media.store import media_store as media_store_module
from service.media.store.catalogue import BLOCK_BYTES
from service.media.store.media_store import MediaStore
from tests.unit.media.store.conftest import (
    KIB,
    MAX_AGE_S,
    Clock,
    StartStore,
    content_of,
    files_below,
    read_medium,
    sha256,
    store_medium,
)

DATA = b"a medium of no special format"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


def medium(seed: int, kib: int = 100) -> bytes:
    return bytes([seed]) * (kib * KIB)


async def test_what_was_uploaded_is_read_back(store: MediaStore) -> None:
    """The bytes, their size and their hash."""
    stored = await store_medium(store, DATA)
    with await store.open("image", stored.media_id, "alice") as opened:
        assert content_of(opened) == DATA
        assert (opened.size_bytes, opened.sha256) == (len(DATA), sha256(DATA))
        assert not os.get_inheritable(opened.fd)


async def test_closing_gives_the_reservation_back(store: MediaStore) -> None:
    """The caller's reservation is the medium's from then on."""
    stored = await store_medium(store, DATA)
    budget = ByteBudget(100)
    reservation = budget.open("image")
    reservation.grow(10)
    medium_ = await store.open("image", stored.media_id, "alice", reservation)
    medium_.close()
    medium_.close()
    assert budget.reserved_bytes == 0


async def test_the_same_content_twice_has_one_id_and_one_file(
    store: MediaStore, directory: Path
) -> None:
    """Of one caller."""
    first = await store_medium(store, DATA)
    assert await store_medium(store, DATA) == first
    assert files_below(directory) == ["callers", "contents"]


async def test_two_callers_share_the_file_and_not_the_id(
    store: MediaStore, directory: Path
) -> None:
    """Each reads with its own id, neither with the other's."""
    alice = await store_medium(store, DATA, "alice")
    bob = await store_medium(store, DATA, "bob")
    assert alice.media_id != bob.media_id
    assert files_below(directory) == ["callers", "callers", "contents"]
    assert await read_medium(store, bob.media_id, "bob") == DATA
    for caller, other in (("alice", bob), ("bob", alice), ("", alice), ("eve", alice)):
        with pytest.raises(MediaNotFoundError):
            await store.open("image", other.media_id, caller)


async def test_a_hash_tells_nothing_of_what_others_have(store: MediaStore) -> None:
    """Asking is answered from the caller's own uploads only, and gives no access."""
    alice = await store_medium(store, DATA, "alice")
    other = sha256(b"other")
    assert await store.find("bob", [sha256(DATA), other]) == [None, None]
    assert await store.find("alice", [other, sha256(DATA)]) == [None, alice]


async def test_a_medium_that_is_not_there_names_its_field_and_the_cure(store: MediaStore) -> None:
    """The path is that of the source."""
    with pytest.raises(MediaNotFoundError, match="upload it again") as refusal:
        await store.open("image", "../../contents", "alice")
    assert refusal.value.metadata == {"field": "image.source.media_id"}


async def test_deleting_forgets_only_the_callers_own(store: MediaStore, directory: Path) -> None:
    """And leaves nothing on the disk when nobody has it any more."""
    alice = await store_medium(store, DATA, "alice")
    bob = await store_medium(store, DATA, "bob")
    await store.delete("eve", alice.media_id)
    await store.delete("alice", bob.media_id)
    assert await read_medium(store, alice.media_id) == DATA
    await store.delete("alice", alice.media_id)
    await store.delete("alice", alice.media_id)
    with pytest.raises(MediaNotFoundError):
        await store.open("image", alice.media_id, "alice")
    assert await read_medium(store, bob.media_id, "bob") == DATA
    await store.delete("bob", bob.media_id)
    assert files_below(directory) == []


async def test_what_is_read_while_it_is_deleted_is_read_to_its_end(store: MediaStore) -> None:
    """The descriptor keeps the bytes, and their room is taken until it is closed."""
    stored = await store_medium(store, medium(1))
    opened = await store.open("image", stored.media_id, "alice")
    await store.delete("alice", stored.media_id)
    assert store._shelf.taken_bytes == 100 * KIB
    assert content_of(opened) == medium(1)
    opened.close()
    assert store._shelf.taken_bytes == 0


async def test_nothing_on_the_disk_is_open_to_others_or_names_a_caller(
    store: MediaStore, directory: Path
) -> None:
    """0700 and 0600, whatever the caller is called."""
    await store_medium(store, DATA, "../../etc/alice")
    for path in (directory, *directory.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0
        assert "alice" not in path.relative_to(directory.parent).as_posix()


async def test_the_longest_unused_goes_first(start: StartStore) -> None:
    """Reading and asking count as use."""
    store = await start(max_bytes=320 * KIB)
    first, second, third = [await store_medium(store, medium(seed, 90)) for seed in (1, 2, 3)]
    await read_medium(store, first.media_id)
    await store.find("alice", [sha256(medium(2, 90))])
    fourth = await store_medium(store, medium(4, 90))
    for stored, seed in ((first, 1), (second, 2), (fourth, 4)):
        assert await read_medium(store, stored.media_id) == medium(seed, 90)
    with pytest.raises(MediaNotFoundError):
        await store.open("image", third.media_id, "alice")
    assert store._shelf.taken_bytes <= 320 * KIB


async def test_what_is_read_stays_and_the_next_goes(start: StartStore) -> None:
    """Although it was not used for longest."""
    store = await start(max_bytes=250 * KIB)
    first = await store_medium(store, medium(1))
    second = await store_medium(store, medium(2))
    with await store.open("image", first.media_id, "alice"):
        await read_medium(store, second.media_id)
        third = await store_medium(store, medium(3))
        assert await read_medium(store, first.media_id) == medium(1)
    assert await read_medium(store, third.media_id) == medium(3)
    with pytest.raises(MediaNotFoundError):
        await store.open("image", second.media_id, "alice")


async def test_an_upload_without_room_is_refused_and_leaves_nothing(
    start: StartStore, directory: Path
) -> None:
    """When requests read all that is stored."""
    store = await start(max_bytes=150 * KIB)
    stored = await store_medium(store, medium(1))
    opened = await store.open("image", stored.media_id, "alice")
    upload = await store.begin("alice", "", 100 * KIB, sha256(medium(2)))
    with pytest.raises(MediaStoreFullError, match="retry"):
        await upload.write(medium(2))
    await upload.abort()
    assert files_below(directory) == ["callers", "contents"]
    assert store._shelf.taken_bytes == 100 * KIB + BLOCK_BYTES
    opened.close()
    await store_medium(store, medium(2))


async def test_uploads_in_progress_take_room(start: StartStore) -> None:
    """Two that fit only one after the other do not fit together."""
    store = await start(max_bytes=150 * KIB)
    first = await store.begin("alice", "", 100 * KIB, sha256(medium(1)))
    await first.write(medium(1))
    second = await store.begin("bob", "", 100 * KIB, sha256(medium(2)))
    with pytest.raises(MediaStoreFullError):
        await second.write(medium(2))
    await second.abort()
    await first.commit()
    assert store._shelf.taken_bytes == 100 * KIB + BLOCK_BYTES


async def test_many_tiny_media_take_room_too(start: StartStore) -> None:
    """Two blocks each, so their number is bounded."""
    store = await start(max_bytes=10 * BLOCK_BYTES)
    stored = [await store_medium(store, bytes([seed])) for seed in range(20)]
    left = await store.find("alice", [each.sha256 for each in stored])
    assert [each is None for each in left] == [True] * 15 + [False] * 5


async def test_a_medium_is_forgotten_at_its_age(
    store: MediaStore, clock: Clock, directory: Path
) -> None:
    """Reading does not make it younger; the time that was told is the time."""
    stored = await store_medium(store, DATA)
    assert stored.expires_at_s == clock.now_s + MAX_AGE_S
    clock.now_s = stored.expires_at_s - 1
    assert await read_medium(store, stored.media_id) == DATA
    clock.now_s += 1
    with pytest.raises(MediaNotFoundError):
        await store.open("image", stored.media_id, "alice")
    assert files_below(directory) == []


async def test_asking_keeps_what_is_there(store: MediaStore, clock: Clock) -> None:
    """As if it had just been uploaded; so does uploading again."""
    await store_medium(store, DATA)
    clock.now_s += MAX_AGE_S - 1
    (found,) = await store.find("alice", [sha256(DATA)])
    assert found is not None
    assert found.expires_at_s == clock.now_s + MAX_AGE_S
    clock.now_s += MAX_AGE_S - 1
    await store_medium(store, DATA)
    clock.now_s += MAX_AGE_S - 1
    assert await read_medium(store, found.media_id) == DATA


async def test_one_caller_keeps_nothing_for_another(store: MediaStore, clock: Clock) -> None:
    """Each has its own time, although the file is one."""
    alice = await store_medium(store, DATA, "alice")
    clock.now_s += MAX_AGE_S / 2
    bob = await store_medium(store, DATA, "bob")
    clock.now_s += MAX_AGE_S / 2
    with pytest.raises(MediaNotFoundError):
        await store.open("image", alice.media_id, "alice")
    assert await read_medium(store, bob.media_id, "bob") == DATA


async def test_an_idle_store_forgets_too(
    start: StartStore, clock: Clock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to ask."""
    monkeypatch.setattr(media_store_module, "_SWEEP_S", 0.001)
    store = await start()
    await store_medium(store, DATA)
    swept = asyncio.Event()
    loop = asyncio.get_running_loop()
    drop_expired = store._shelf.drop_expired

    def drop() -> None:
        drop_expired()
        if not files_below(directory):
            loop.call_soon_threadsafe(swept.set)

    monkeypatch.setattr(store._shelf, "drop_expired", drop)
    clock.now_s += MAX_AGE_S
    await asyncio.wait_for(swept.wait(), 30)


async def test_concurrent_uploads_of_the_same_content_all_succeed(
    store: MediaStore, directory: Path
) -> None:
    """In any order of their chunks and of their ends."""
    callers = ["alice", "alice", "bob", "bob", "carol", ""]
    uploads = [
        await store.begin(caller, "image/png", len(PICTURE), sha256(PICTURE)) for caller in callers
    ]
    await asyncio.gather(*(upload.write(PICTURE[:50]) for upload in uploads))
    await asyncio.gather(*(upload.write(PICTURE[50:]) for upload in uploads))
    stored = await asyncio.gather(*(upload.commit() for upload in uploads))
    assert len({each.media_id for each in stored}) == 4
    assert files_below(directory) == ["callers"] * 4 + ["contents"]
    assert store._shelf.taken_bytes == 5 * BLOCK_BYTES
    for caller, each in zip(callers, stored, strict=True):
        assert await read_medium(store, each.media_id, caller) == PICTURE


async def test_uploading_while_the_same_content_is_deleted_and_read_keeps_all_whole(
    store: MediaStore,
) -> None:
    """Whatever is found has all of its bytes; the room adds up in the end."""

    async def churn(caller: str) -> None:
        for _ in range(20):
            stored = await store_medium(store, medium(7), caller)
            with suppress(MediaNotFoundError):
                assert await read_medium(store, stored.media_id, caller) == medium(7)
            await store.delete(caller, stored.media_id)

    await asyncio.gather(*(churn(caller) for caller in ("alice", "alice", "bob", "carol")))
    assert store._shelf.taken_bytes == 0


async def test_a_medium_opened_for_a_call_that_is_gone_is_closed(
    store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its descriptor does not leak, nor its room."""
    stored = await store_medium(store, DATA)
    is_opening, may_open = threading.Event(), threading.Event()
    open_content = store._shelf._directory.open_content
    descriptors = []

    def open_late(content: object) -> int | None:
        is_opening.set()
        may_open.wait(30)
        descriptors.append(open_content(content))
        return descriptors[0]

    monkeypatch.setattr(store._shelf._directory, "open_content", open_late)
    opening = asyncio.create_task(store.open("image", stored.media_id, "alice"))
    await asyncio.to_thread(is_opening.wait, 30)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    may_open.set()
    await asyncio.to_thread(store._pool.shutdown)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptors[0])
    assert store._shelf._ended_uses[0].uses == 1
    await store.close()
    assert store._shelf._catalogue.content(stored.sha256).uses == 0
