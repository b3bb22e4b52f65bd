"""What worker processes are asked to do with one medium: describe it, or prepare it for the model.

The tasks are sent, so their parts carry no bytes: the encoded file comes as an open file.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from service.domain.conversation import InlineData, MediaPart, MediaSource, Modality
from service.domain.limits import MediaLimits
from service.domain.media import (
    DecodedAudio,
    DecodedImage,
    DecodedMedia,
    DecodedVideo,
    MediaDescription,
)
from service.media.decoding import decode, describe
from service.media.heard import check_header_heard, check_heard

# No media type is longer (RFC 6838, 4.2); what is, is wrong, and need not be sent whole.
_CLAIM_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """A media part without its bytes, and what is known of them."""

    part: MediaPart
    size_bytes: int
    claimed_mime_types: tuple[str, ...]
    limits: MediaLimits

    @classmethod
    def of(
        cls,
        part: MediaPart,
        size_bytes: int,
        claimed_mime_types: tuple[str, ...],
        limits: MediaLimits,
    ) -> EncodedPart:
        """Strip a part of its source."""
        bare = dataclasses.replace(part, source=MediaSource(InlineData(b"")))
        claims = tuple(claim[:_CLAIM_CHARACTERS] for claim in claimed_mime_types)
        return cls(bare, size_bytes, claims, limits)


@dataclass(frozen=True, slots=True)
class DescribeTask:
    """Gives the MediaDescription."""

    encoded: EncodedPart


@dataclass(frozen=True, slots=True)
class PrepareTask:
    """Gives the Preparation; `description` is None where it has not been asked for before."""

    encoded: EncodedPart
    digest: str
    audio_rate_hz: int
    description: MediaDescription | None


@dataclass(frozen=True, slots=True)
class BlankTask:
    """Gives the Preparation of black pixels or silence of the described size."""

    field: str
    description: MediaDescription
    audio_rate_hz: int


@dataclass(frozen=True, slots=True)
class Preparation:
    """A medium as the engine takes it. `item` is the engine's own object, of about `size_bytes`."""

    description: MediaDescription
    item: Any
    size_bytes: int
    decode_s: float
    preprocess_s: float


# Runs the model's processor: returns the engine's own object and its size in bytes.
Preprocess = Callable[[DecodedMedia], tuple[Any, int]]


class MediaTasks:
    """Runs the tasks, in a worker process.

    A sound longer than `heard_s`, of which the model would hear only the beginning, is refused.
    """

    def __init__(self, preprocess: Preprocess, heard_s: float | None = None) -> None:
        self._preprocess = preprocess
        self._heard_s = heard_s

    def run(self, task: object, files: Sequence[BinaryIO]) -> MediaDescription | Preparation:
        """Run one task; raises the errors of errors.py, and MemoryError."""
        match task:
            case DescribeTask(encoded):
                return self._describe(encoded, files[0])
            case PrepareTask():
                return self._prepare(task, files[0])
            case BlankTask(field, description, audio_rate_hz):
                blank = _blank(field, description, audio_rate_hz)
                item, size_bytes = self._preprocess(blank)
                return Preparation(description, item, size_bytes, 0.0, 0.0)
            case _:
                raise TypeError(f"no such task: {task!r}")

    def _prepare(self, task: PrepareTask, file: BinaryIO) -> Preparation:
        started = time.monotonic()
        description = task.description or self._describe(task.encoded, file)
        media = decode(
            task.encoded.part,
            file,
            task.encoded.size_bytes,
            task.encoded.limits,
            audio_rate_hz=task.audio_rate_hz,
            digest=task.digest,
            claimed_mime_types=task.encoded.claimed_mime_types,
        )
        check_heard(media, self._heard_s)
        decoded = time.monotonic()
        item, size_bytes = self._preprocess(media)
        preprocess_s = time.monotonic() - decoded
        return Preparation(description, item, size_bytes, decoded - started, preprocess_s)

    def _describe(self, encoded: EncodedPart, file: BinaryIO) -> MediaDescription:
        found = describe(
            encoded.part, file, encoded.size_bytes, encoded.limits, encoded.claimed_mime_types
        )
        check_header_heard(encoded.part.field, found, self._heard_s)
        return found


def _blank(field: str, description: MediaDescription, audio_rate_hz: int) -> DecodedMedia:
    size = description.height, description.width, 3
    match description.modality:
        case Modality.IMAGE:
            return DecodedImage(field, "", np.zeros(size, np.uint8))
        case Modality.AUDIO:
            samples = max(1, round(description.used_s * audio_rate_hz))
            return DecodedAudio(field, "", np.zeros(samples, np.float32), audio_rate_hz)
        case _:
            count = description.sampled_frames
            return DecodedVideo(
                field=field,
                sha256="",
                frames=np.zeros((count, *size), np.uint8),
                fps=count / description.used_s,
                duration_s=description.used_s,
                total_frames=count,
                frame_indices=tuple(range(count)),
            )
