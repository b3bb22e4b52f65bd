"""A media preparer in memory: prepares any inline bytes but `b"broken"`, each content once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from service.domain.conversation import InlineData, MediaPart
from service.domain.media import MediaDescription, PreparedMedia
from service.errors import LimitExceededError, MediaUndecodableError


class FakeMediaPreparer:
    """The item of a medium is its bytes."""

    def __init__(self) -> None:
        self.callers: list[str] = []
        self._known: set[str] = set()

    async def prepare(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[PreparedMedia]:
        """Prepare one part after the other; `part_bytes` is the only limit."""
        self.callers.append(caller)
        return [self._prepare(part, limits.get("part_bytes", 100)) for part in parts]

    async def describe(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[MediaDescription]:
        """Take each byte for a pixel; `part_bytes` is the only limit."""
        self.callers.append(caller)
        sizes = [len(_data(part)) for part in parts]
        for part, size in zip(parts, sizes, strict=True):
            _check_size(part, size, limits.get("part_bytes", 100))
        return [
            MediaDescription(part.modality, "application/fake", size, size, 1)
            for part, size in zip(parts, sizes, strict=True)
        ]

    async def prepare_blanks(
        self, parts: Sequence[MediaPart], descriptions: Sequence[MediaDescription]
    ) -> list[PreparedMedia]:
        """Prepare as many zeros."""
        return [
            PreparedMedia(part.field, part.modality, "blank", bytes(description.width))
            for part, description in zip(parts, descriptions, strict=True)
        ]

    def _prepare(self, part: MediaPart, limit: float) -> PreparedMedia:
        data = _data(part)
        if data == b"broken":
            raise MediaUndecodableError(part.field, "the bytes are broken")
        _check_size(part, len(data), limit)
        digest = hashlib.sha256(data).hexdigest()
        is_known = digest in self._known
        self._known.add(digest)
        return PreparedMedia(
            field=part.field,
            modality=part.modality,
            sha256=digest,
            item=data,
            fetch_s=0.5,
            decode_s=None if is_known else 0.25,
            preprocess_s=None if is_known else 0.125,
            was_cached=is_known,
        )


def _check_size(part: MediaPart, size: int, limit: float) -> None:
    if size > limit:
        raise LimitExceededError(part.field, "part_bytes", limit, size)


def _data(part: MediaPart) -> bytes:
    origin = part.source.origin
    assert isinstance(origin, InlineData)
    return origin.data
