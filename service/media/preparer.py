"""The MediaPreparer port: sources resolved here, all decoding and preprocessing in workers.

The order saves work: sizes that came with the request are checked before anything is fetched, all
headers before any pixel, and what was prepared for an earlier request is neither decoded nor
preprocessed again. Equal media that arrive together wait for the first of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from service.domain.conversation import MediaPart
from service.domain.limits import MediaLimits
from service.domain.media import MediaDescription, PreparedMedia
from service.errors import LimitExceededError, MediaUndecodableError, MediaWorkerLostError
from service.media.decoding import content_digest
from service.media.encoded import EncodedMedia
from service.media.keyed_lock import KeyedLock
from service.media.limits import check_limit
from service.media.prepared_cache import PreparedCache
from service.media.request_limits import (
    check_description,
    check_inline_sizes,
    check_totals,
    may_one_pass_totals,
)
from service.media.sources.resolver import SourceResolver
from service.media.tasks import BlankTask, DescribeTask, EncodedPart, Preparation, PrepareTask
from service.ports import WorkerEnd, WorkerEndedError, Workers
from service.telemetry.metrics import MEDIA_PARTS
from service.telemetry.progress import Stage, enter_stage

_T = TypeVar("_T")
_ENDS_TO_LIMITS = {
    WorkerEnd.MEMORY: "worker_memory_bytes",
    WorkerEnd.CPU_TIME: "worker_cpu_seconds",
    WorkerEnd.WALL_TIME: "worker_seconds",
}


@dataclass(frozen=True, slots=True)
class _Medium:
    """A part whose bytes are here."""

    part: MediaPart
    encoded: EncodedMedia
    claimed_mime_types: tuple[str, ...]
    digest: str
    caller: str
    fetch_s: float


class WorkerMediaPreparer:
    """Prepares media in `workers`. Belongs to one event loop."""

    def __init__(
        self,
        resolver: SourceResolver,
        workers: Workers,
        cache: PreparedCache,
        *,
        limits: MediaLimits,
        audio_rate_hz: int,
    ) -> None:
        self._resolver = resolver
        self._workers = workers
        self._cache = cache
        self._limits = limits
        self._audio_rate_hz = audio_rate_hz
        self._locks = KeyedLock()

    async def prepare(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[PreparedMedia]:
        """Prepare all parts of one request; `limits` may lower the server's own."""
        bounds = self._limits.lowered_by(limits)
        check_inline_sizes(parts, bounds)
        async with self._resolved(parts, caller, bounds) as media:
            descriptions: Sequence[MediaDescription | None] = [None] * len(media)
            if len(media) > 1 or may_one_pass_totals(bounds):
                # One of them may be too large: then nothing at all is decoded.
                descriptions = await _all(self._describe(medium, bounds) for medium in media)
                check_totals(parts, [found for found in descriptions if found], bounds)
            return await _all(
                self._prepare(medium, bounds, description)
                for medium, description in zip(media, descriptions, strict=True)
            )

    async def describe(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[MediaDescription]:
        """Tell what the headers of all parts of one request tell; all limits are checked."""
        bounds = self._limits.lowered_by(limits)
        check_inline_sizes(parts, bounds)
        async with self._resolved(parts, caller, bounds) as media:
            descriptions = await _all(self._describe(medium, bounds) for medium in media)
        check_totals(parts, descriptions, bounds)
        return descriptions

    async def prepare_blanks(
        self, parts: Sequence[MediaPart], descriptions: Sequence[MediaDescription]
    ) -> list[PreparedMedia]:
        """Prepare media of the described sizes that show nothing: they take as many tokens."""
        pairs = zip(parts, descriptions, strict=True)
        return await _all(self._prepare_blank(part, description) for part, description in pairs)

    async def _prepare_blank(self, part: MediaPart, description: MediaDescription) -> PreparedMedia:
        with _translated(part.field):
            made = await self._workers.run(BlankTask(part.field, description, self._audio_rate_hz))
        return PreparedMedia(part.field, part.modality, f"blank of {description}", made.item)

    @asynccontextmanager
    async def _resolved(
        self, parts: Sequence[MediaPart], caller: str, bounds: MediaLimits
    ) -> AsyncIterator[list[_Medium]]:
        with ExitStack() as stack:
            enter_stage(Stage.FETCH)
            media = await _all(self._resolve(part, caller, bounds, stack) for part in parts)
            total = 0
            for medium in media:
                total += medium.encoded.size_bytes
                check_limit(medium.part.field, "request_bytes", bounds.request_bytes, total)
            enter_stage(Stage.MEDIA)
            yield media

    async def _resolve(
        self, part: MediaPart, caller: str, bounds: MediaLimits, stack: ExitStack
    ) -> _Medium:
        started = time.monotonic()
        resolved = await self._resolver.resolve(
            part.field, part.source, caller=caller, max_bytes=bounds.part_bytes
        )
        encoded = stack.enter_context(resolved.encoded)
        digest = content_digest(part, encoded.sha256)
        fetch_s = time.monotonic() - started
        return _Medium(part, encoded, resolved.claimed_mime_types, digest, caller, fetch_s)

    async def _describe(self, medium: _Medium, bounds: MediaLimits) -> MediaDescription:
        known = self._cache.get(medium.digest)
        if known is not None and not medium.claimed_mime_types:
            check_description(medium.part.field, known.description, bounds)
            return known.description
        with _translated(medium.part.field):
            found: MediaDescription = await self._workers.run(
                DescribeTask(_encoded_part(medium, bounds)),
                [medium.encoded.fd],
                caller=medium.caller,
            )
        return found

    async def _prepare(
        self, medium: _Medium, bounds: MediaLimits, description: MediaDescription | None
    ) -> PreparedMedia:
        part = medium.part
        async with self._locks.hold(medium.digest):
            known = self._cache.get(medium.digest)
            made = known or await self._run(medium, bounds, description)
            if known is None:
                self._cache.put(medium.digest, made)
        if known is not None:
            if description is None and medium.claimed_mime_types:
                await self._describe(medium, bounds)
            check_description(part.field, known.description, bounds)
        MEDIA_PARTS.labels(part.modality, "cached" if known else "prepared").inc()
        return PreparedMedia(
            field=part.field,
            modality=part.modality,
            sha256=medium.digest,
            item=made.item,
            fetch_s=medium.fetch_s,
            decode_s=None if known else made.decode_s,
            preprocess_s=None if known else made.preprocess_s,
            was_cached=known is not None,
        )

    async def _run(
        self, medium: _Medium, bounds: MediaLimits, description: MediaDescription | None
    ) -> Preparation:
        task = PrepareTask(
            _encoded_part(medium, bounds), medium.digest, self._audio_rate_hz, description
        )
        with _translated(medium.part.field):
            made: Preparation = await self._workers.run(
                task, [medium.encoded.fd], caller=medium.caller
            )
        return made


def _encoded_part(medium: _Medium, bounds: MediaLimits) -> EncodedPart:
    return EncodedPart.of(medium.part, medium.encoded.size_bytes, medium.claimed_mime_types, bounds)


async def _all(coroutines: Iterable[Coroutine[object, object, _T]]) -> list[_T]:
    """Run all at once; the first failure cancels the others, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


@contextmanager
def _translated(field: str) -> Iterator[None]:
    """Say what a worker's end means for the part that it worked on."""
    try:
        yield
    except WorkerEndedError as exc:
        if exc.end is WorkerEnd.CRASHED:
            raise MediaUndecodableError(
                field, "its decoder crashed; the file is damaged, or made to do that"
            ) from exc
        if exc.end in _ENDS_TO_LIMITS:
            name = _ENDS_TO_LIMITS[exc.end]
            raise LimitExceededError(field, name, exc.limit or 0, None) from exc
        raise MediaWorkerLostError(
            f"{field}: the process that prepared it was ended; try again", field=field
        ) from exc
