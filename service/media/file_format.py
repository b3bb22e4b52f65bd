"""Tells a file's format from its first bytes; names and claimed types are never trusted."""

from __future__ import annotations

from enum import Enum

from service.domain.conversation import InlineSource, Modality
from service.errors import MediaUndecodableError

_HEAD_BYTES = 4096


class FileFormat(Enum):
    """The formats that are decoded: a name, what it holds, and the media types that it goes by."""

    PNG = ("PNG", Modality.IMAGE, ("image/png",))
    JPEG = ("JPEG", Modality.IMAGE, ("image/jpeg", "image/jpg"))
    WEBP = ("WebP", Modality.IMAGE, ("image/webp",))
    WAV = ("WAV", Modality.AUDIO, ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"))
    FLAC = ("FLAC", Modality.AUDIO, ("audio/flac", "audio/x-flac"))
    MP3 = ("MP3", Modality.AUDIO, ("audio/mpeg", "audio/mp3"))
    OGG = ("OGG", Modality.AUDIO, ("audio/ogg", "audio/opus", "audio/vorbis", "application/ogg"))
    MP4 = ("MP4", Modality.VIDEO, ("video/mp4", "video/quicktime", "video/x-m4v"))
    WEBM = ("WebM", Modality.VIDEO, ("video/webm",))

    def __init__(self, label: str, modality: Modality, mime_types: tuple[str, ...]) -> None:
        self.label = label
        self.modality = modality
        self.mime_types = mime_types


def recognise(field: str, source: InlineSource, modality: Modality) -> FileFormat:
    """Return the format of a part's bytes; raises MediaUndecodableError when it is another kind."""
    wanted = ", ".join(known.label for known in FileFormat if known.modality is modality)
    found = _from_magic(source.data[:_HEAD_BYTES])
    if found is None:
        raise MediaUndecodableError(field, f"the bytes are none of {wanted}")
    if found.modality is not modality:
        raise MediaUndecodableError(
            field,
            f"the bytes are {found.label}, which is {found.modality}, not {modality}; "
            f"send one of {wanted}",
        )
    claimed = (source.mime_type or "").partition(";")[0].strip().lower()
    if claimed not in ("", "application/octet-stream", *found.mime_types):
        raise MediaUndecodableError(
            field, f"source.mime_type says {source.mime_type!r}, but the bytes are {found.label}"
        )
    return found


_PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", FileFormat.PNG),
    (b"\xff\xd8\xff", FileFormat.JPEG),
    (b"fLaC", FileFormat.FLAC),
    (b"OggS", FileFormat.OGG),
    (b"ID3", FileFormat.MP3),
)
_RIFF_KINDS = {b"WEBP": FileFormat.WEBP, b"WAVE": FileFormat.WAV}
_EBML = b"\x1a\x45\xdf\xa3"
_WEBM_DOCUMENT_TYPE = b"\x42\x82\x84webm"


def _from_magic(head: bytes) -> FileFormat | None:
    for prefix, file_format in _PREFIXES:
        if head.startswith(prefix):
            return file_format
    if head.startswith(b"RIFF"):
        return _RIFF_KINDS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return FileFormat.MP4
    if head.startswith(_EBML):
        return FileFormat.WEBM if _WEBM_DOCUMENT_TYPE in head else None
    return FileFormat.MP3 if _is_mpeg_audio_frame(head) else None


def _is_mpeg_audio_frame(head: bytes) -> bool:
    """Tell whether a frame header of MPEG audio stands first (ISO 11172-3, 2.4.1.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - sync bits
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bit_rate != 15 and sample_rate != 3  # noqa: PLR2004
