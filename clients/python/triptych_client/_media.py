"""Media apart from prompts: what is uploaded, and what a server tells of a medium.

Both clients use it. A file is read in pieces and never whole; it is read twice, since the server
is asked for its hash first.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from triptych.v1 import media_service_pb2
from triptych_client._prompt import Audio, Image
from triptych_client._requests import part_to_proto
from triptych_client._results import Modality, modality_from_proto

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triptych_client._prompt import Bytes, File, Video

# The largest that a server takes.
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """What a medium is; a number that its kind does not have is 0."""

    modality: Modality
    mime_type: str
    size_bytes: int
    width: int
    height: int
    duration_s: float
    #: Frames of the file, and those of them that the model sees.
    frames: int
    sampled_frames: int
    channels: int
    sample_rate_hz: int
    #: What the loaded model spends on it; None: it does not take this kind.
    tokens: int | None


def build_upload_header(medium: File | Bytes, mime_type: str) -> media_service_pb2.UploadHeader:
    """Return what will be sent; reads the whole medium once."""
    digest = hashlib.sha256()
    size_bytes = 0
    for chunk in _chunks(medium):
        digest.update(chunk)
        size_bytes += len(chunk)
    return media_service_pb2.UploadHeader(
        mime_type=mime_type, size_bytes=size_bytes, sha256=digest.digest()
    )


def build_question(
    header: media_service_pb2.UploadHeader,
) -> media_service_pb2.FindMissingMediaRequest:
    """Ask whether the server has that content."""
    return media_service_pb2.FindMissingMediaRequest(sha256s=[header.sha256])


def found_media_id(answer: media_service_pb2.FindMissingMediaResponse) -> str | None:
    """Return the id of the only content that was asked for; None: it must be sent."""
    return answer.found[0].media_id if answer.found else None


def upload_messages(
    medium: File | Bytes, header: media_service_pb2.UploadHeader
) -> Iterator[media_service_pb2.UploadMediaRequest]:
    """Give the messages of an upload, read as they are wanted."""
    yield media_service_pb2.UploadMediaRequest(header=header)
    for chunk in _chunks(medium):
        yield media_service_pb2.UploadMediaRequest(chunk=chunk)


def build_probe_request(part: Image | Audio | Video) -> media_service_pb2.ProbeMediaRequest:
    """Return the request to describe a part; a local file is sent with it."""
    message = part_to_proto(part)
    if isinstance(part, Image):
        return media_service_pb2.ProbeMediaRequest(image=message.image)
    if isinstance(part, Audio):
        return media_service_pb2.ProbeMediaRequest(audio=message.audio)
    return media_service_pb2.ProbeMediaRequest(video=message.video)


def description_from_proto(response: media_service_pb2.ProbeMediaResponse) -> MediaDescription:
    """Return the description of a medium."""
    return MediaDescription(
        modality=modality_from_proto(response.modality),
        mime_type=response.mime_type,
        size_bytes=response.size_bytes,
        width=response.width,
        height=response.height,
        duration_s=response.duration_s,
        frames=response.frames,
        sampled_frames=response.sampled_frames,
        channels=response.channels,
        sample_rate_hz=response.sample_rate_hz,
        tokens=response.tokens if response.HasField("tokens") else None,
    )


def _chunks(medium: File | Bytes) -> Iterator[bytes]:
    with _open(medium) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _open(medium: File | Bytes) -> BinaryIO:
    if isinstance(medium, (bytes, bytearray, memoryview)):
        return io.BytesIO(medium)
    return Path(medium).expanduser().open("rb")
