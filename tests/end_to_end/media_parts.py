"""Media parts of requests: from any source, or as the decoders' own tests have them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from service.domain.conversation import AudioPart, ImagePart, MediaPart, PcmEncoding
from tests.unit.media.files import Sample
from tests.unit.media.hostile import HostileFile
from triptych.v1 import conversation_pb2, media_pb2, media_service_pb2

_CHUNK_BYTES = 1 << 16
_LARGEST_INT32 = (1 << 31) - 1
_PARTS = {
    "image": media_pb2.ImagePart,
    "audio": media_pb2.AudioPart,
    "video": media_pb2.VideoPart,
}
_PCM_ENCODINGS = {
    PcmEncoding.S16: media_pb2.PCM_ENCODING_S16,
    PcmEncoding.S24: media_pb2.PCM_ENCODING_S24,
    PcmEncoding.S32: media_pb2.PCM_ENCODING_S32,
    PcmEncoding.F32: media_pb2.PCM_ENCODING_F32,
}


def medium(kind: str, source: dict[str, Any], **options: Any) -> conversation_pb2.Part:
    """Return a part of a kind; `source` has the fields of a MediaSource."""
    part = _PARTS[kind](source=media_pb2.MediaSource(**source), **options)
    return conversation_pb2.Part(**{kind: part})


def part_of_file(file: Sample | HostileFile) -> conversation_pb2.Part:
    """Return the part of a file of the decoders' tests, with its bytes in it."""
    return medium(str(file.modality), {"data": file.data}, **_options(file.part))


def data_uri(data: bytes, mime_type: str) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def upload(media: Any, data: bytes) -> str:
    """Upload a file in chunks and return its media_id."""
    return media.UploadMedia(_upload_messages(data)).media_id


def _upload_messages(data: bytes) -> Iterator[media_service_pb2.UploadMediaRequest]:
    digest = hashlib.sha256(data).digest()
    header = media_service_pb2.UploadHeader(size_bytes=len(data), sha256=digest)
    yield media_service_pb2.UploadMediaRequest(header=header)
    for start in range(0, len(data), _CHUNK_BYTES):
        yield media_service_pb2.UploadMediaRequest(chunk=data[start : start + _CHUNK_BYTES])


def _options(part: MediaPart) -> dict[str, Any]:
    """Return the fields of the contract's part beside its source."""
    if isinstance(part, ImagePart):
        return {"max_pixels": part.max_pixels}
    cut = {"start_s": part.start_s, "end_s": part.end_s}
    if not isinstance(part, AudioPart):
        sampling = {"fps": part.fps} if part.fps else {"num_frames": part.num_frames}
        return cut | sampling | {"use_sound": part.use_sound}
    if part.pcm is None:
        return cut
    pcm = media_pb2.PcmFormat(
        encoding=_PCM_ENCODINGS[part.pcm.encoding],
        sample_rate_hz=min(part.pcm.sample_rate_hz, _LARGEST_INT32),
        channels=part.pcm.channels,
    )
    return cut | {"pcm": pcm}
