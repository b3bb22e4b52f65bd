"""The SessionMedia port: the media of one session, each of them got once and kept for all turns.

What is kept are encoded files, as every source gives them; the session's share of the bytes in
flight is theirs until it ends. A turn's request reads them again without a copy.
Tested by tests/unit/media/test_session_media.py.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from service.domain.conversation import HeldMedia, InlineData, MediaPart
from service.domain.limits import MediaLimits
from service.errors import InvalidRequestError
from service.media.budget import ByteBudget
from service.media.encoded import EncodedWriter
from service.media.limits import check_limit
from service.media.sources.resolver import ResolvedMedia, SourceResolver


@dataclass(frozen=True, slots=True)
class SessionFileSource:
    """Opens sessions' media, with what the server has for them."""

    resolver: SourceResolver
    budget: ByteBudget
    limits: MediaLimits

    def open(self, caller: str, limits: dict[str, float]) -> SessionFiles:
        """Start the media of one session; `limits` may lower the server's own."""
        return SessionFiles(self.resolver, self.budget, self.limits.lowered_by(limits), caller)


class SessionFiles:
    """Keeps the media of one session of `caller`, within `bounds`. Belongs to one event loop."""

    def __init__(
        self, resolver: SourceResolver, budget: ByteBudget, bounds: MediaLimits, caller: str
    ) -> None:
        self._resolver = resolver
        self._budget = budget
        self._bounds = bounds
        self._caller = caller
        self._kept: list[ResolvedMedia] = []
        self._recordings: list[Recording] = []
        self._size_bytes = 0
        self._is_closed = False

    async def keep(self, part: MediaPart) -> MediaPart:
        """Get a medium's bytes and keep them; return the part with these as its source."""
        origin = part.source.origin
        if isinstance(origin, HeldMedia):
            return part
        if isinstance(origin, InlineData):  # known already; others are when they are here
            self.check_size(part.field, len(origin.data))
        resolved = await self._resolver.resolve(
            part.field, part.source, caller=self._caller, max_bytes=self._bounds.part_bytes
        )
        try:
            self.grow(part.field, resolved.encoded.size_bytes)
        except BaseException:
            resolved.encoded.close()
            raise
        return self.hold(part, resolved)

    def begin(self, part: MediaPart) -> Recording:
        """Start a medium that comes in pieces; its part's source tells what is claimed of it."""
        reservation = self._budget.open(part.field)
        writer = EncodedWriter(part.field, self._bounds.part_bytes, reservation)
        recording = Recording(self, part, writer)
        self._recordings.append(recording)
        return recording

    def close(self) -> None:
        """Let all media go; a request that still reads one has it open itself."""
        self._is_closed = True
        for recording in self._recordings:
            recording.close()
        for resolved in self._kept:
            resolved.encoded.close()
        self._kept.clear()

    def check_size(self, field: str, more_bytes: int) -> None:
        """Raise LimitExceededError when the session's media would be too large with these bytes."""
        limit = self._bounds.request_bytes
        check_limit(field, "request_bytes", limit, self._size_bytes + more_bytes)

    def grow(self, field: str, more_bytes: int) -> None:
        """Count more bytes; raises LimitExceededError."""
        self.check_size(field, more_bytes)
        self._size_bytes += more_bytes

    def hold(self, part: MediaPart, resolved: ResolvedMedia) -> MediaPart:
        """Own a medium until the end."""
        if self._is_closed:
            resolved.encoded.close()
            raise RuntimeError("a medium came after the end of its session")
        self._kept.append(resolved)
        source = dataclasses.replace(part.source, origin=HeldMedia(resolved))
        return dataclasses.replace(part, source=source)


class Recording:
    """One medium on its way into a session, piece by piece."""

    def __init__(self, files: SessionFiles, part: MediaPart, writer: EncodedWriter) -> None:
        self._files = files
        self._part = part
        self._writer = writer

    def write(self, chunk: bytes) -> None:
        """Add bytes; raises LimitExceededError or MediaBudgetExceededError."""
        self._files.grow(self._part.field, len(chunk))
        self._writer.write(chunk)

    def finish(self) -> MediaPart:
        """Return the whole medium's part, which the session keeps.

        Raises InvalidRequestError when there are no bytes, or others than those claimed.
        """
        encoded = self._writer.finish()
        source = self._part.source
        if source.sha256 is not None and source.sha256 != encoded.sha256:
            encoded.close()
            raise InvalidRequestError(
                f"{self._part.field}.source.sha256", "is not the SHA-256 of the bytes"
            )
        claims = () if source.mime_type is None else (source.mime_type,)
        return self._files.hold(self._part, ResolvedMedia(encoded, claims))

    def close(self) -> None:
        """Drop what has come. Harmless after `finish`."""
        self._writer.close()
