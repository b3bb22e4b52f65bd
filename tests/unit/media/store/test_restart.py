"""What is found when a server starts: after a stop, after a kill, and after damage."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from pathlib import Path

import pytest

from service.errors import MediaNotFoundError, StartupError
from service.media.store.catalogue import BLOCK_BYTES, caller_key
from service.media.store.media_store import MediaStore
from tests.unit.media.store import uploading_server
from tests.unit.media.store.conftest import (
    KIB,
    MAX_AGE_S,
    Clock,
    StartStore,
    files_below,
    read_medium,
    sha256,
    store_medium,
)

ROOT = Path(__file__).parents[4]
DATA = b"a medium of no special format"


def content_file(directory: Path, data: bytes = DATA) -> Path:
    return directory / "contents" / f"{sha256(data).hex()}-{len(data)}"


def entry_file(directory: Path, data: bytes = DATA, caller: str = "alice") -> Path:
    return directory / "callers" / caller_key(caller) / sha256(data).hex()


async def restart(store: MediaStore, start: StartStore, **settings: int) -> MediaStore:
    await store.close()
    return await start(**settings)


async def test_a_restart_loses_nothing(start: StartStore, clock: Clock) -> None:
    """Ids, callers, times and room are the same."""
    store = await start()
    alice = await store_medium(store, DATA, "alice")
    bob = await store_medium(store, DATA, "bob")
    taken_bytes = store._shelf.taken_bytes
    clock.now_s += 100
    store = await restart(store, start)
    assert store._shelf.taken_bytes == taken_bytes
    assert await read_medium(store, alice.media_id, "alice") == DATA
    assert await read_medium(store, bob.media_id, "bob") == DATA
    with pytest.raises(MediaNotFoundError):
        await store.open("image", alice.media_id, "bob")
    clock.now_s = alice.expires_at_s
    with pytest.raises(MediaNotFoundError):
        await store.open("image", alice.media_id, "alice")


async def test_what_grew_too_old_meanwhile_is_gone(
    start: StartStore, clock: Clock, directory: Path
) -> None:
    """Without anybody asking."""
    store = await start()
    await store_medium(store, DATA)
    clock.now_s += MAX_AGE_S
    await restart(store, start)
    assert files_below(directory) == []


async def test_a_clock_that_was_ahead_keeps_nothing_for_ever(
    start: StartStore, clock: Clock
) -> None:
    """A time in the future counts as now."""
    store = await start()
    stored = await store_medium(store, DATA)
    clock.now_s -= 1e9
    store = await restart(store, start)
    (found,) = await store.find("alice", [stored.sha256])
    assert found is not None
    assert found.expires_at_s == clock.now_s + MAX_AGE_S


async def test_the_order_of_use_survives(start: StartStore, clock: Clock) -> None:
    """A smaller store keeps what was used last, not what was uploaded last."""
    store = await start()
    media = [bytes([seed]) * (90 * KIB) for seed in range(3)]
    stored = []
    for data in media:
        stored.append(await store_medium(store, data))
        clock.now_s += 1
    await read_medium(store, stored[0].media_id)
    store = await restart(store, start, max_bytes=200 * KIB)
    found = await store.find("alice", [sha256(data) for data in media])
    assert [each is not None for each in found] == [True, False, True]


async def test_a_server_killed_in_the_middle_of_an_upload_leaves_no_half_file(
    directory: Path,
) -> None:
    """Nor the lock; what was whole is still there, whole, with its id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        uploading_server.__file__,
        str(directory),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"half-way\n"
    assert len(files_below(directory)) == 3
    settings = {"max_bytes": 1 << 20, "max_age_s": 3600, "max_medium_bytes": 1 << 20}
    with pytest.raises(StartupError, match="in use by another server; stop that one"):
        await MediaStore.start(directory, **settings)
    process.kill()
    await process.wait()
    store = await MediaStore.start(directory, **settings)
    assert files_below(directory) == ["callers", "contents"]
    (found,) = await store.find("alice", [sha256(uploading_server.WHOLE)])
    assert found is not None
    assert found.expires_at_s <= time.time() + 3600
    assert await read_medium(store, found.media_id) == uploading_server.WHOLE
    await store.close()


async def test_a_server_killed_between_two_names_leaves_nothing_that_counts(
    start: StartStore, directory: Path
) -> None:
    """A content without a caller, or a caller's name without a content, is removed."""
    store = await start()
    await store_medium(store, DATA)
    await store_medium(store, b"other")
    await store.close()
    entry_file(directory).unlink()
    content_file(directory, b"other").unlink()
    store = await start()
    assert files_below(directory) == []
    assert list((directory / "callers").iterdir()) == []
    assert store._shelf.taken_bytes == 0


def truncate(path: Path) -> None:
    os.truncate(path, 3)


def lengthen(path: Path) -> None:
    os.truncate(path, 300)


def link_elsewhere(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(DATA)
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [truncate, lengthen, link_elsewhere, become_a_pipe])
async def test_a_damaged_file_is_removed_and_can_be_uploaded_again(
    start: StartStore,
    directory: Path,
    caplog: pytest.LogCaptureFixture,
    damage: object,
) -> None:
    """With a line in the log; the server starts all the same."""
    store = await start()
    stored = await store_medium(store, DATA)
    await store.close()
    damage(content_file(directory))
    with caplog.at_level(logging.WARNING):
        store = await start()
    assert "damaged" in caplog.text
    assert await store.find("alice", [sha256(DATA)]) == [None]
    with pytest.raises(MediaNotFoundError):
        await store.open("image", stored.media_id, "alice")
    assert await store_medium(store, DATA) == stored
    assert await read_medium(store, stored.media_id) == DATA


@pytest.mark.parametrize("damage", [truncate, link_elsewhere, become_a_pipe, Path.unlink])
async def test_a_file_damaged_while_the_server_runs_is_forgotten(
    store: MediaStore, directory: Path, damage: object
) -> None:
    """At the next use, by all who have it."""
    alice = await store_medium(store, DATA, "alice")
    await store_medium(store, DATA, "bob")
    damage(content_file(directory))
    with pytest.raises(MediaNotFoundError):
        await store.open("image", alice.media_id, "alice")
    assert await store.find("bob", [sha256(DATA)]) == [None]
    assert store._shelf.taken_bytes == 0
    await store_medium(store, DATA, "bob")
    assert store._shelf.taken_bytes == 2 * BLOCK_BYTES


async def test_asking_for_a_lost_file_says_that_it_is_missing(
    store: MediaStore, directory: Path
) -> None:
    """So a client that asks before it sends is never told of what cannot be read."""
    await store_medium(store, DATA)
    content_file(directory).unlink()
    assert await store.find("alice", [sha256(DATA)]) == [None]


async def test_a_lost_file_comes_back_with_its_next_upload(
    store: MediaStore, directory: Path
) -> None:
    """Without it, two callers would share nothing."""
    alice = await store_medium(store, DATA, "alice")
    content_file(directory).unlink()
    await store_medium(store, DATA, "bob")
    assert await read_medium(store, alice.media_id, "alice") == DATA
    assert store._shelf.taken_bytes == 3 * BLOCK_BYTES


async def test_other_bytes_of_the_same_size_are_noticed_when_first_read_after_a_restart(
    start: StartStore, directory: Path
) -> None:
    """The hash is looked at once by each process."""
    store = await start()
    stored = await store_medium(store, DATA)
    await store.close()
    content_file(directory).write_bytes(DATA[::-1])
    store = await start()
    with pytest.raises(MediaNotFoundError):
        await store.open("image", stored.media_id, "alice")
    assert files_below(directory) == []
    await store_medium(store, DATA)
    assert await read_medium(store, stored.media_id) == DATA


async def test_an_upload_mends_what_was_changed_while_no_server_ran(
    start: StartStore, directory: Path
) -> None:
    """Bytes that were just checked replace bytes that were not."""
    store = await start()
    stored = await store_medium(store, DATA, "alice")
    await store.close()
    content_file(directory).write_bytes(DATA[::-1])
    store = await start()
    await store_medium(store, DATA, "bob")
    assert await read_medium(store, stored.media_id, "alice") == DATA


async def test_what_is_no_file_of_the_store_is_left_alone(
    start: StartStore, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside the store's folders in silence, in them with a line in the log."""
    store = await start()
    stored = await store_medium(store, DATA)
    await store.close()
    name = "ab" * 32
    foreign = [
        directory / "README",
        directory / "contents" / "lost+found",
        directory / "callers" / "bob",
        directory / "callers" / name,
        directory / "callers" / caller_key("alice") / "note",
        directory / "uploads" / "note",
    ]
    for path in foreign:
        path.write_bytes(b"foreign")
    (directory / "contents" / "folder").mkdir()
    (directory / "callers" / caller_key("alice") / name).mkdir()
    with caplog.at_level(logging.WARNING):
        store = await start()
    assert all(path.read_bytes() == b"foreign" for path in foreign)
    # Other parts of the server may have their own to tell in the meantime.
    assert sum("is no file of the store" in line for line in caplog.messages) == 7
    assert await read_medium(store, stored.media_id) == DATA


async def test_two_files_for_one_content_become_one(start: StartStore, directory: Path) -> None:
    """Only one of them can have that hash."""
    store = await start()
    await store_medium(store, DATA)
    await store.close()
    content_file(directory).with_name(f"{sha256(DATA).hex()}-5").write_bytes(b"wrong")
    store = await start()
    assert files_below(directory) == ["callers", "contents"]
    stored = await store_medium(store, DATA)
    assert await read_medium(store, stored.media_id) == DATA


async def test_a_second_server_on_the_directory_is_refused(
    start: StartStore, directory: Path
) -> None:
    """Until the first has closed; nothing of the first is touched."""
    store = await start()
    upload = await store.begin("alice", "", len(DATA), sha256(DATA))
    await upload.write(DATA)
    with pytest.raises(StartupError, match=r"in use by another server.*--media-store"):
        await start()
    stored = await upload.commit()
    store = await restart(store, start)
    assert await read_medium(store, stored.media_id) == DATA


async def test_a_directory_that_cannot_be_used_names_the_flag(
    start: StartStore, directory: Path
) -> None:
    """A file in its place; one of its folders is a link; its parent is not there."""
    directory.write_bytes(b"")
    with pytest.raises(StartupError, match="--media-store"):
        await start()
    directory.unlink()
    directory.mkdir()
    (directory / "contents").symlink_to(directory.parent)
    with pytest.raises(StartupError, match=r"symbolic link.*--media-store"):
        await start()
    (directory / "contents").unlink()
    (directory / "contents").write_bytes(b"")
    with pytest.raises(StartupError, match="--media-store"):
        await start()
    (directory / "contents").unlink()
    await start()


async def test_the_mode_of_a_directory_that_was_there_is_the_operators(
    start: StartStore, directory: Path
) -> None:
    """The store's own folders are closed all the same."""
    directory.mkdir(mode=0o755)
    (directory / "contents").mkdir(mode=0o777)
    await start()
    assert directory.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o700}
