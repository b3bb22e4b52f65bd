"""Sessions' media in memory: kept as bytes, of which a session may have `LIMIT_BYTES`.

What a URL's host gives is what the test has put into `web`; a URL that is not there is waited for.
"""

from __future__ import annotations

import asyncio
import dataclasses

from service.domain.conversation import InlineData, MediaPart, RemoteUrl
from service.errors import InvalidRequestError, LimitExceededError

LIMIT_BYTES = 100


class FakeSessionMedia:
    """The source of all sessions' media; `opened` are those of each session."""

    def __init__(self) -> None:
        self.web: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.asked = asyncio.Event()
        self.opened: list[OneSessionsMedia] = []

    def open(self, caller: str, limits: dict[str, float]) -> OneSessionsMedia:
        """Start the media of one session."""
        self.opened.append(OneSessionsMedia(self))
        return self.opened[-1]


class OneSessionsMedia:
    """The media of one session."""

    def __init__(self, source: FakeSessionMedia) -> None:
        self._source = source
        self.size_bytes = 0
        self.is_closed = False

    async def keep(self, part: MediaPart) -> MediaPart:
        """Fetch what is not here yet."""
        match part.source.origin:
            case RemoteUrl(url):
                data = await self._fetch(url)
                self.grow(part.field, len(data))
                return with_data(part, data)
            case InlineData(data):
                self.grow(part.field, len(data))
        return part

    def begin(self, part: MediaPart) -> OneRecording:
        """Start a medium that comes in pieces."""
        return OneRecording(self, part)

    def close(self) -> None:
        """Let all media go."""
        self.is_closed = True

    def grow(self, field: str, size_bytes: int) -> None:
        """Count bytes."""
        self.size_bytes += size_bytes
        if self.size_bytes > LIMIT_BYTES:
            raise LimitExceededError(field, "request_bytes", LIMIT_BYTES, self.size_bytes)

    async def _fetch(self, url: str) -> bytes:
        self._source.asked.set()
        if url not in self._source.web:
            await asyncio.Event().wait()
        self._source.fetched.append(url)
        return self._source.web[url]


class OneRecording:
    """One medium that comes in pieces."""

    def __init__(self, media: OneSessionsMedia, part: MediaPart) -> None:
        self._media = media
        self._part = part
        self._pieces: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        self._media.grow(self._part.field, len(chunk))
        self._pieces.append(chunk)

    def finish(self) -> MediaPart:
        """Return the whole."""
        if not self._pieces:
            raise InvalidRequestError(self._part.field, "the medium is empty; it has 0 bytes")
        return with_data(self._part, b"".join(self._pieces))


def with_data(part: MediaPart, data: bytes) -> MediaPart:
    """Return the part with these bytes as its source."""
    source = dataclasses.replace(part.source, origin=InlineData(data))
    return dataclasses.replace(part, source=source)
