"""Every source of media in one place: a MediaSource in, an EncodedMedia out.

Large bytes are decoded, copied and hashed in threads. A thread cannot be cancelled, so what a
thread makes belongs to the thread until it has ended: a cancelled call tells it to stop and leaves
it the closing. Nobody closes a descriptor that another still writes to.
Tested by tests/unit/media/sources/test_resolver.py.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from service.domain.conversation import (
    DataUri,
    HeldMedia,
    InlineData,
    MediaSource,
    Origin,
    RemoteUrl,
    ServerPath,
    StoredMedia,
)
from service.errors import InvalidRequestError, MediaSourceUnsupportedError
from service.media.budget import ByteBudget, Reservation
from service.media.encoded import EncodedMedia, EncodedWriter
from service.media.fetch.fetcher import Fetcher
from service.media.limits import check_limit
from service.media.sources.data_uri import parse_data_uri
from service.media.sources.server_path import ServerPaths

# Copying and hashing so much takes less time than handing it to a thread is worth.
_INLINE_BYTES = 1 << 20
_PIECE_BYTES = 1 << 20
_FLAGS = {
    "url": "--allowed-media-hosts",
    "path": "--allowed-media-roots",
    "media_id": "--media-store",
}

Pieces = Generator[bytes | memoryview, None, None]


class StoredMediaSource(Protocol):
    """Where uploaded media lie."""

    async def open(
        self, field: str, media_id: str, caller: str, reservation: Reservation
    ) -> EncodedMedia:
        """Open what `caller` has uploaded; the result owns the reservation.

        Raises MediaNotFoundError.
        """


@dataclass(frozen=True, slots=True)
class ResolvedMedia:
    """An encoded file, and which media types the caller claims that it has.

    The claims are of `mime_type` and of a data URI. The Content-Type of an http response is none:
    it is the host's word, and often wrong.
    """

    encoded: EncodedMedia
    claimed_mime_types: tuple[str, ...]


class SourceResolver:
    """Resolves all kinds of sources; one that is None is off. Belongs to one event loop."""

    def __init__(
        self,
        budget: ByteBudget,
        *,
        fetcher: Fetcher | None,
        paths: ServerPaths | None,
        store: StoredMediaSource | None,
    ) -> None:
        self._budget = budget
        self._fetcher = fetcher
        self._paths = paths
        self._store = store
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="media-source")

    async def resolve(
        self, field: str, source: MediaSource, *, caller: str, max_bytes: int
    ) -> ResolvedMedia:
        """Return a source's bytes, at most `max_bytes`; the result is the caller's to close.

        `field` is the part's. Raises InvalidRequestError, LimitExceededError,
        MediaBudgetExceededError, MediaSourceUnsupportedError, MediaSourceForbiddenError,
        MediaNotFoundError, MediaFetchFailedError, MediaFetchUnavailableError.
        """
        if isinstance(source.origin, HeldMedia):
            held: ResolvedMedia = source.origin.medium
            return ResolvedMedia(held.encoded.reopen(), held.claimed_mime_types)
        claims: tuple[str | None, ...] = (source.mime_type,)
        if isinstance(source.origin, DataUri):
            uri = parse_data_uri(field, source.origin.uri)
            check_limit(field, "part_bytes", max_bytes, uri.size_bytes)
            claims = (source.mime_type, uri.mime_type)
            encoded = await self._collect(field, max_bytes, uri.pieces(), uri.size_bytes)
        else:
            encoded = await self._open(field, source.origin, caller, max_bytes)
        if source.sha256 is not None and source.sha256 != encoded.sha256:
            encoded.close()
            raise InvalidRequestError(f"{field}.source.sha256", "is not the SHA-256 of the bytes")
        return ResolvedMedia(encoded, tuple(claim for claim in claims if claim))

    async def aclose(self) -> None:
        """End the threads, the roots and all fetches; the store is its owner's."""
        self._threads.shutdown(wait=False)
        if self._paths is not None:
            self._paths.close()
        if self._fetcher is not None:
            await self._fetcher.aclose()

    async def _open(self, field: str, origin: Origin, caller: str, max_bytes: int) -> EncodedMedia:
        match origin:
            case InlineData(data):
                check_limit(field, "part_bytes", max_bytes, len(data))
                return await self._collect(field, max_bytes, _pieces_of(data), len(data))
            case RemoteUrl(url) if self._fetcher is not None:
                return await self._fetcher.fetch(field, url, caller=caller, max_bytes=max_bytes)
            case ServerPath(path) if self._paths is not None:
                pieces = self._paths.pieces(field, path, max_bytes)
                return await self._collect(field, max_bytes, pieces, None)
            case StoredMedia(media_id) if self._store is not None:
                return await self._open_stored(self._store, field, media_id, caller, max_bytes)
        raise _unsupported(field, origin)

    async def _open_stored(
        self, store: StoredMediaSource, field: str, media_id: str, caller: str, max_bytes: int
    ) -> EncodedMedia:
        reservation = self._budget.open(field)
        try:
            encoded = await store.open(field, media_id, caller, reservation)
        except BaseException:
            reservation.close()
            raise
        try:
            check_limit(field, "part_bytes", max_bytes, encoded.size_bytes)
        except BaseException:
            encoded.close()
            raise
        return encoded

    async def _collect(
        self, field: str, max_bytes: int, pieces: Pieces, size_bytes: int | None
    ) -> EncodedMedia:
        """Write pieces to a file, in a thread when they are many or unknown."""
        stop = threading.Event()
        collect = functools.partial(_write_all, self._budget, field, max_bytes, pieces, stop)
        if size_bytes is not None and size_bytes <= _INLINE_BYTES:
            return collect()
        future = asyncio.get_running_loop().run_in_executor(self._threads, collect)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            future.add_done_callback(_close_result)
            raise


class _StoppedError(Exception):
    """Nobody waits for the medium any more."""


def _write_all(
    budget: ByteBudget, field: str, max_bytes: int, pieces: Pieces, stop: threading.Event
) -> EncodedMedia:
    writer = EncodedWriter(field, max_bytes, budget.open(field))
    try:
        with closing(pieces):
            for piece in pieces:
                if stop.is_set():
                    raise _StoppedError
                writer.write(piece)
        return writer.finish()
    finally:
        writer.close()


def _close_result(future: asyncio.Future[EncodedMedia]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()


def _pieces_of(data: bytes) -> Pieces:
    view = memoryview(data)
    for start in range(0, len(data), _PIECE_BYTES):
        yield view[start : start + _PIECE_BYTES]


def _unsupported(field: str, origin: Origin) -> MediaSourceUnsupportedError:
    flag = _FLAGS[origin.kind]
    source_field = f"{field}.source.{origin.kind}"
    return MediaSourceUnsupportedError(
        f"{source_field}: the server was started without this source of media ({flag})",
        field=source_field,
        source=origin.kind,
        flag=flag,
    )
