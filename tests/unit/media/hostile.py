"""What a hostile file is: its bytes, who takes it, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.domain.conversation import MediaPart, Modality
from tests.unit.media.files import part_of

DECODED, UNDECODABLE, INVALID = "decoded", "undecodable", "invalid"
# Every right answer and every clear error, where libraries may change their minds.
ANY = (DECODED, UNDECODABLE, "image_side", "image_pixels", "video_side", "video_seconds")


@dataclass(frozen=True)
class HostileFile:
    """A file; `outcomes` are DECODED, UNDECODABLE, INVALID or the limit that it exceeds."""

    modality: Modality
    data: bytes = field(repr=False)
    outcomes: tuple[str, ...]
    options: dict[str, object] = field(default_factory=dict)

    @property
    def part(self) -> MediaPart:
        return part_of(self.modality, **self.options)


def refused(modality: Modality, data: bytes, *outcomes: str, **options: object) -> HostileFile:
    return HostileFile(modality, data, outcomes, options)


def decoded(modality: Modality, data: bytes, **options: object) -> HostileFile:
    return HostileFile(modality, data, (DECODED,), options)
