"""A medium on its way through a decoder: the part, its open file, and what limits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from service.domain.conversation import MediaPart
from service.domain.limits import MediaLimits
from service.errors import MediaUndecodableError
from service.media.file_format import FileFormat
from service.media.limits import check_limit

PartT = TypeVar("PartT", bound=MediaPart)


@dataclass(frozen=True, slots=True)
class OpenMedium(Generic[PartT]):
    """`file` can be read and sought, has `size_bytes`, and begins as `file_format` does."""

    part: PartT
    file: BinaryIO
    size_bytes: int
    file_format: FileFormat
    limits: MediaLimits

    def check(self, limit: str, actual: float) -> None:
        """Raise LimitExceededError when `actual` is above the limit of that name."""
        check_limit(self.part.field, limit, getattr(self.limits, limit), actual)

    def undecodable(self, problem: str) -> MediaUndecodableError:
        """Return the error that says what is wrong with the file."""
        return MediaUndecodableError(self.part.field, problem)
