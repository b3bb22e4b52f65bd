"""The store without asyncio: catalogue and files kept in step, under one lock. Blocking.

The lock is held for names and times only. Bytes are written, synced and hashed outside of it, so
that an upload never waits for another's disk. Each method is all or nothing: it may run to its
end in its thread although the call that wanted it was cancelled.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from service.domain.stored_medium import StoredMedium
from service.errors import MediaStoreFullError
from service.media.store.catalogue import BLOCK_BYTES, Catalogue, Content, Entry, blocks
from service.media.store.directory import StoreDirectory
from service.telemetry.logging import logger


class Shelf:
    """Everything that is stored. Thread-safe."""

    def __init__(
        self, directory: StoreDirectory, catalogue: Catalogue, clock: Callable[[], float]
    ) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._clock = clock
        self._lock = threading.Lock()
        # Filled by event loops, which must not wait for a lock that is held over disk work.
        self._ended_uses: deque[Content] = deque()
        self._load()

    @property
    def taken_bytes(self) -> int:
        """The room that is taken, uploads included."""
        with self._locked():
            return self._catalogue.taken_bytes

    def begin(self) -> tuple[int, Path]:
        """Return a new file for an upload; one block is reserved for the entry to come."""
        with self._locked():
            self._reserve("header", BLOCK_BYTES)
            try:
                return self._directory.create_upload()
            except BaseException:
                self._catalogue.reserve(-BLOCK_BYTES)
                raise

    def grow(self, size_bytes: int, added_bytes: int) -> None:
        """Make room for an upload that had `size_bytes`; raises MediaStoreFullError."""
        wanted = blocks(size_bytes + added_bytes) - blocks(size_bytes)
        if wanted:
            with self._locked():
                self._reserve("chunk", wanted)

    def discard(self, upload: Path, size_bytes: int) -> None:
        """Drop an upload, and the room of the bytes that came."""
        with self._locked():
            self._directory.discard_upload(upload)
            self._catalogue.reserve(-BLOCK_BYTES - blocks(size_bytes))

    def commit(self, upload: Path, key: str, sha256: bytes, size_bytes: int) -> StoredMedium:
        """Store an upload that is synced and checked; one that fails is still to be discarded."""
        with self._locked():
            content = self._catalogue.content(sha256)
            if content and content.is_verified and self._directory.holds(content):
                self._directory.discard_upload(upload)
            else:
                content = content or Content(sha256, size_bytes, is_verified=True)
                self._directory.publish(upload, content)
                content.is_verified = True
            now_s = self._clock()
            try:
                self._directory.write_entry(key, sha256, now_s, now_s)
            except BaseException:
                if not content.entries:
                    self._directory.remove_content(content)
                raise
            entry = self._entry_of(key, content)
            if entry is None:
                entry = Entry(key, content, now_s, now_s)
                self._catalogue.add(entry)
            self._catalogue.keep(entry, now_s)
            self._catalogue.reserve(-BLOCK_BYTES - blocks(size_bytes))
            return self._describe(entry)

    def find(self, key: str, sha256s: Sequence[bytes]) -> list[StoredMedium | None]:
        """Tell what a caller has, and keep it from now on."""
        with self._locked():
            return [self._keep(key, sha256) for sha256 in sha256s]

    def delete(self, key: str, media_id: str) -> None:
        """Forget one medium of a caller."""
        with self._locked():
            entry = self._catalogue.entry(key, media_id)
            if entry is not None:
                self._remove(entry)

    def drop_expired(self) -> None:
        """Forget what is too old; every other method does so first, too."""
        with self._locked():
            pass

    def open(self, key: str, media_id: str) -> tuple[int, Content] | None:
        """Return a descriptor and the content, to be given back by `end_use`; None: not there."""
        with self._locked():
            entry = self._catalogue.entry(key, media_id)
            if entry is None:
                return None
            content = entry.content
            fd = self._directory.open_content(content)
            if fd is None:
                self._remove_damaged(content)
                return None
            content.uses += 1
            self._touch(entry)
            is_verified = content.is_verified
        if is_verified or self._verify(fd, content):
            return fd, content
        os.close(fd)
        self.end_use(content)
        return None

    def end_use(self, content: Content) -> None:
        """Count one reader less. Never blocks."""
        self._ended_uses.append(content)

    def close(self) -> None:
        """Give the directory free."""
        with self._locked():
            self._directory.close()

    def _load(self) -> None:
        contents: dict[bytes, Content] = {}
        for content in self._directory.contents():
            if contents.setdefault(content.sha256, content) is not content:
                self._directory.remove_content(content)
        now_s = self._clock()
        for key, sha256, kept_at_s, used_at_s in self._directory.entries():
            if sha256 not in contents:
                self._directory.remove_entry(key, sha256)
                continue
            # A clock that was wrong once must not keep a medium for ever.
            times = min(kept_at_s, now_s), min(used_at_s, now_s)
            self._catalogue.add(Entry(key, contents[sha256], *times))
        for content in contents.values():
            if not content.entries:
                self._directory.remove_content(content)
        self._catalogue.sort()
        with self._locked():
            for entry in self._catalogue.superfluous() or ():
                self._remove(entry)
        logger.info("media store: %d MiB are taken", self._catalogue.taken_bytes >> 20)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            while self._ended_uses:
                self._catalogue.end_use(self._ended_uses.popleft())
            for entry in self._catalogue.expired(self._clock()):
                self._remove(entry)
            yield

    def _reserve(self, field: str, size_bytes: int) -> None:
        superfluous = self._catalogue.superfluous(size_bytes)
        if superfluous is None:
            raise MediaStoreFullError(
                f"{field}: the media store has no room; all of it is in use by uploads and "
                "requests that run now; retry when they are done",
                field=field,
                limit="store_bytes",
            )
        for entry in superfluous:
            self._remove(entry)
        self._catalogue.reserve(size_bytes)

    def _entry_of(self, key: str, content: Content) -> Entry | None:
        return self._catalogue.entry(key, Entry(key, content, 0, 0).media_id)

    def _keep(self, key: str, sha256: bytes) -> StoredMedium | None:
        content = self._catalogue.content(sha256)
        entry = self._entry_of(key, content) if content else None
        if content is None or entry is None:
            return None
        if not self._directory.holds(content):
            self._remove_damaged(content)
            return None
        now_s = self._clock()
        self._directory.write_entry(key, sha256, now_s, now_s)
        self._catalogue.keep(entry, now_s)
        return self._describe(entry)

    def _touch(self, entry: Entry) -> None:
        self._catalogue.use(entry, self._clock())
        try:
            self._directory.write_entry(
                entry.caller_key, entry.content.sha256, entry.kept_at_s, entry.used_at_s
            )
        except OSError as exc:
            # It is only for the order of eviction after a restart.
            logger.warning("media store: cannot note a use: %s", exc.strerror)

    def _describe(self, entry: Entry) -> StoredMedium:
        expires_at_s = self._catalogue.expires_at_s(entry)
        return StoredMedium(entry.media_id, entry.content.sha256, expires_at_s)

    def _remove(self, entry: Entry) -> None:
        is_last = self._catalogue.remove(entry)
        self._directory.remove_entry(entry.caller_key, entry.content.sha256)
        if is_last:
            self._directory.remove_content(entry.content)

    def _remove_damaged(self, content: Content) -> None:
        logger.warning("media store: a content is gone or damaged; forgetting it")
        for entry in self._catalogue.entries_of(content):
            self._remove(entry)

    def _verify(self, fd: int, content: Content) -> bool:
        """Hash what another process stored, once: disks and operators change files."""
        with os.fdopen(fd, "rb", closefd=False) as file:
            is_whole = hashlib.file_digest(file, "sha256").digest() == content.sha256
        os.lseek(fd, 0, os.SEEK_SET)
        with self._locked():
            # An upload may have put whole bytes in place of these meanwhile.
            if is_whole:
                content.is_verified = True
            elif not content.is_verified:
                self._remove_damaged(content)
        return is_whole
