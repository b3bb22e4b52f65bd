"""A store in a temporary directory, and a clock that stands still."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from service.domain.stored_medium import StoredMedium
from service.media.encoded import EncodedMedia
from service.media.store.media_store import MediaStore

KIB = 1 << 10
MAX_BYTES = 1 << 20
MAX_AGE_S = 3600.0
MAX_MEDIUM_BYTES = 512 * KIB
StartStore = Callable[..., Awaitable[MediaStore]]


class Clock:
    """Tells the time that it was told."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


async def store_medium(
    store: MediaStore, data: bytes, caller: str = "alice", mime_type: str = ""
) -> StoredMedium:
    """Upload in two chunks."""
    upload = await store.begin(caller, mime_type, len(data), sha256(data))
    for chunk in (data[:10], data[10:]):
        if chunk:
            await upload.write(chunk)
    return await upload.commit()


async def read_medium(store: MediaStore, media_id: str, caller: str = "alice") -> bytes:
    with await store.open("image", media_id, caller) as medium:
        return content_of(medium)


def content_of(medium: EncodedMedia) -> bytes:
    return os.pread(medium.fd, medium.size_bytes + 1, 0)


def files_below(directory: Path) -> list[str]:
    """Return the kinds of the files, such as `contents` or `callers`."""
    return sorted(
        path.relative_to(directory).parts[0] for path in directory.rglob("*") if path.is_file()
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
async def start(directory: Path, clock: Clock) -> AsyncIterator[StartStore]:
    """Start a store; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def started(*, max_bytes: int = MAX_BYTES) -> MediaStore:
            store = await MediaStore.start(
                directory,
                max_bytes=max_bytes,
                max_age_s=MAX_AGE_S,
                max_medium_bytes=MAX_MEDIUM_BYTES,
                clock=clock,
            )
            stack.push_async_callback(store.close)
            return store

        yield started


@pytest.fixture
async def store(start: StartStore) -> MediaStore:
    return await start()
