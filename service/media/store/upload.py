"""One upload: bytes to a file, checked against what was declared, then stored or dropped.

What is wrong is told as soon as it is known: a type that disagrees with the content after the
first 4 KiB, one byte too many at once, too few and another hash at the end. Field paths are those
of `UploadMediaRequest`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from service.domain.stored_medium import StoredMedium
from service.errors import InvalidRequestError, MediaStoreFullError
from service.media.file_format import HEAD_BYTES, FileFormat, detect
from service.media.store.shelf import Shelf
from service.telemetry.logging import logger

_T = TypeVar("_T")
_NO_CLAIMS = ("", "application/octet-stream", "binary/octet-stream")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class RunsBlockingWork(Protocol):
    """Runs a function in a thread; it comes to its end although the call is cancelled."""

    def __call__(self, work: Callable[[], _T]) -> Awaitable[_T]:
        """Run it."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a caller says that it will send; `caller_key` is the catalogue's name for it."""

    caller_key: str
    mime_type: str
    size_bytes: int
    sha256: bytes


class Upload:
    """A medium on its way; `commit` or `abort` ends it, and `on_end` is called once."""

    def __init__(
        self,
        shelf: Shelf,
        declared: Declaration,
        run: RunsBlockingWork,
        on_end: Callable[[], None],
    ) -> None:
        self._shelf = shelf
        self._declared = declared
        self._run = run
        self._on_end: Callable[[], None] | None = on_end
        self._received_bytes = 0  # what was let in, on the event loop
        # What the threads work on, one at a time: a cancelled write may still run.
        self._lock = threading.Lock()
        self._is_over = False
        self._fd, self._path = -1, Path()
        self._size_bytes = 0
        self._hash = hashlib.sha256()
        self._head = b""

    async def open(self) -> None:
        """Make the file."""
        await self._run(self._open)

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes; raises InvalidRequestError or MediaStoreFullError."""
        self._received_bytes += len(chunk)
        if self._received_bytes > self._declared.size_bytes:
            raise InvalidRequestError(
                "header.size_bytes",
                f"declares {self._declared.size_bytes} bytes, but more came",
            )
        await self._run(lambda: self._write(chunk))

    async def commit(self) -> StoredMedium:
        """Store it; raises InvalidRequestError or MediaStoreFullError."""
        # Two steps: a client that cancels after its last byte looks, for the first moment, like
        # one that has finished. A cancelled call ends between them.
        await self._run(self._complete)
        stored = await self._run(self._publish)
        self._end()
        return stored

    async def abort(self) -> None:
        """Leave nothing behind. Harmless after `commit`, and a second time."""
        self._end()
        await self._run(self._abort)

    def _end(self) -> None:
        if self._on_end is not None:
            self._on_end()
            self._on_end = None

    def _open(self) -> None:
        with self._lock, _disk_full_told("header"):
            if not self._is_over:
                self._fd, self._path = self._shelf.begin()

    def _write(self, chunk: bytes) -> None:
        with self._lock, _disk_full_told("chunk"):
            if self._is_over:
                return
            self._shelf.grow(self._size_bytes, len(chunk))
            self._size_bytes += len(chunk)
            self._hash.update(chunk)
            if len(self._head) < HEAD_BYTES:
                self._head += chunk[: HEAD_BYTES - len(self._head)]
                if len(self._head) == HEAD_BYTES:
                    check_declared_type(self._declared.mime_type, self._head)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._fd, rest) :]

    def _complete(self) -> None:
        with self._lock, _disk_full_told("chunk"):
            self._check_running()
            self._check_whole()
            os.fsync(self._fd)

    def _publish(self) -> StoredMedium:
        declared = self._declared
        with self._lock, _disk_full_told("chunk"):
            self._check_running()
            stored = self._shelf.commit(
                self._path, declared.caller_key, declared.sha256, declared.size_bytes
            )
            self._close()
            self._is_over = True
            return stored

    def _check_running(self) -> None:
        if self._is_over:
            raise InvalidRequestError("chunk", "the upload has ended before")

    def _check_whole(self) -> None:
        declared = self._declared
        if self._size_bytes != declared.size_bytes:
            raise InvalidRequestError(
                "header.size_bytes",
                f"declares {declared.size_bytes} bytes, but {self._size_bytes} came",
            )
        if self._hash.digest() != declared.sha256:
            raise InvalidRequestError("header.sha256", "is not the SHA-256 of the bytes that came")
        check_declared_type(declared.mime_type, self._head)

    def _abort(self) -> None:
        with self._lock:
            self._is_over = True
            if self._fd >= 0:
                self._close()
                self._shelf.discard(self._path, self._size_bytes)

    def _close(self) -> None:
        os.close(self._fd)
        self._fd = -1


def check_declared_type(mime_type: str, head: bytes) -> None:
    """Raise InvalidRequestError when a declared media type is not that of the content."""
    declared = mime_type.partition(";")[0].strip().lower()
    # Samples without a header may begin with any bytes.
    if declared in _NO_CLAIMS or declared in _types_of(FileFormat.PCM):
        return
    found = detect(head)
    if found is None:
        raise InvalidRequestError(
            "header.mime_type",
            f"says {mime_type!r}, but the bytes are of no format that this server knows; "
            "leave it empty for headerless samples",
        )
    if declared not in _types_of(found):
        raise InvalidRequestError(
            "header.mime_type", f"says {mime_type!r}, but the bytes are {found.label}"
        )


def _types_of(file_format: FileFormat) -> set[str]:
    return {name for names in file_format.mime_types.values() for name in names}


@contextmanager
def _disk_full_told(field: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno not in _DISK_FULL:
            raise
        logger.warning("media store: %s", exc.strerror)
        raise MediaStoreFullError(
            f"{field}: the disk of the media store is full; "
            "retry later, or tell the server's operator",
            field=field,
            limit="store_disk",
        ) from exc
