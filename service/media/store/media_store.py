"""The media store: what callers have uploaded, each caller's own, bounded in bytes and age.

The files are found by their content's hash, so equal bytes are stored once; but a caller can only
name what it has uploaded itself. To make room whatever was not used for longest goes, whosever it
is; what a request reads at the moment stays. All disk work runs in a few threads of the store's
own: a slow disk holds up uploads, not the event loop and not what else uses threads.

Limits: `max_bytes` for everything, uploads in progress included; `max_medium_bytes` for one
medium; `max_age_s` after the upload, or after the caller asked for it by `find`; 32 uploads at
once, and 8 of one caller (callers without a name are not one caller).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from service.domain.stored_medium import StoredMedium
from service.errors import MediaBudgetExceededError, MediaNotFoundError
from service.media.budget import Reservation
from service.media.encoded import EncodedMedia
from service.media.limits import check_limit
from service.media.store.catalogue import BLOCK_BYTES, Catalogue, Content, caller_key
from service.media.store.directory import StoreDirectory
from service.media.store.shelf import Shelf
from service.media.store.upload import Declaration, Upload
from service.telemetry.logging import logger

_T = TypeVar("_T")
_THREADS = 4
_MAX_UPLOADS = 32
_MAX_UPLOADS_OF_CALLER = 8
# Between two looks for what is too old, when nobody uses the store.
_SWEEP_S = 60.0


class MediaStore:
    """Uploads, and what became of them. Belongs to the event loop that starts it."""

    def __init__(
        self, shelf: Shelf, pool: ThreadPoolExecutor, *, max_bytes: int, max_medium_bytes: int
    ) -> None:
        self._shelf = shelf
        self._pool = pool
        self._max_bytes = max_bytes
        self._max_medium_bytes = max_medium_bytes
        self._uploads: Counter[str] = Counter()
        self._sweeping = asyncio.create_task(self._sweep())

    @classmethod
    async def start(
        cls,
        directory: Path,
        *,
        max_bytes: int,
        max_age_s: float,
        max_medium_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Take the directory and what is in it; raises StartupError.

        `clock` gives seconds since 1970.
        """
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="media-store")

        def load() -> Shelf:
            files = StoreDirectory.open(directory)
            return Shelf(files, Catalogue(max_bytes, max_age_s), clock)

        try:
            shelf = await asyncio.get_running_loop().run_in_executor(pool, load)
        except BaseException:
            pool.shutdown(wait=False)
            raise
        return cls(shelf, pool, max_bytes=max_bytes, max_medium_bytes=max_medium_bytes)

    async def close(self) -> None:
        """Finish what runs in threads and give the directory free."""
        self._sweeping.cancel()
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._shelf.close)

    async def begin(self, caller: str, mime_type: str, size_bytes: int, sha256: bytes) -> Upload:
        """Start an upload; raises LimitExceededError and MediaBudgetExceededError."""
        check_limit("header.size_bytes", "part_bytes", self._max_medium_bytes, size_bytes)
        # One block for the caller's entry, one for what is not full.
        check_limit(
            "header.size_bytes", "store_bytes", self._max_bytes - 2 * BLOCK_BYTES, size_bytes
        )
        self._check_uploads(caller)
        self._uploads[caller] += 1
        declared = Declaration(caller_key(caller), mime_type, size_bytes, sha256)
        upload = Upload(self._shelf, declared, self._run, lambda: self._end_upload(caller))
        try:
            await upload.open()
        except BaseException:
            await upload.abort()
            raise
        return upload

    async def find(self, caller: str, sha256s: Sequence[bytes]) -> list[StoredMedium | None]:
        """Tell what the caller has of these, and keep it as if it had just been uploaded."""
        return await self._run(lambda: self._shelf.find(caller_key(caller), sha256s))

    async def delete(self, caller: str, media_id: str) -> None:
        """Forget one of the caller's media, if it is there; who reads it reads on."""
        await self._run(lambda: self._shelf.delete(caller_key(caller), media_id))

    async def open(
        self, field: str, media_id: str, caller: str, reservation: Reservation | None = None
    ) -> EncodedMedia:
        """Open one of the caller's media; raises MediaNotFoundError.

        Its bytes are on the disk and need no room in memory; a `reservation` is given back when
        the medium is closed.
        """
        key = caller_key(caller)
        opening = self._pool.submit(self._shelf.open, key, media_id)
        try:
            opened = await asyncio.shield(asyncio.wrap_future(opening))
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_unwanted)
            raise
        if opened is None:
            raise MediaNotFoundError(
                f"{field}.source.media_id: no such medium is stored for this caller, or no "
                "longer; upload it again",
                field=f"{field}.source.media_id",
            )
        return _StoredFile(self._shelf, *opened, reservation)

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.shield(asyncio.wrap_future(self._pool.submit(work)))

    def _check_uploads(self, caller: str) -> None:
        total = self._uploads.total()
        if total >= _MAX_UPLOADS:
            raise MediaBudgetExceededError("header", "uploads", _MAX_UPLOADS, total + 1)
        own = self._uploads[caller]
        if caller and own >= _MAX_UPLOADS_OF_CALLER:
            raise MediaBudgetExceededError(
                "header", "uploads_of_caller", _MAX_UPLOADS_OF_CALLER, own + 1
            )

    def _end_upload(self, caller: str) -> None:
        self._uploads[caller] -= 1
        if not self._uploads[caller]:
            del self._uploads[caller]

    def _close_unwanted(self, opening: Future[tuple[int, Content] | None]) -> None:
        """Close what was opened for a call that is gone."""
        if opening.exception() is None and (opened := opening.result()) is not None:
            fd, content = opened
            os.close(fd)
            self._shelf.end_use(content)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            try:
                await self._run(self._shelf.drop_expired)
            except OSError as exc:
                logger.warning("media store: %s", exc)


class _StoredFile(EncodedMedia):
    """A file of the store; while it is open, its room is not given to others."""

    def __init__(
        self, shelf: Shelf, fd: int, content: Content, reservation: Reservation | None
    ) -> None:
        super().__init__(fd, content.size_bytes, content.sha256, reservation)
        self._shelf = shelf
        self._content = content

    def close(self) -> None:
        """Give the file back. Harmless a second time."""
        if self.fd >= 0:
            self._shelf.end_use(self._content)
        super().close()
