"""Tells a file's format from its first bytes; names and claimed types are never trusted.

What is no format of the table below goes to no decoder: playlists, vector graphics, documents,
and containers that can point to other files. Tested by tests/unit/media/test_file_format.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from service.domain.conversation import Modality
from service.errors import MediaUndecodableError

# As much of a file as `detect` looks at.
HEAD_BYTES = 4096
_IMAGE, _AUDIO, _VIDEO = Modality.IMAGE, Modality.AUDIO, Modality.VIDEO
# Claims that say nothing.
_NO_CLAIMS = ("", "application/octet-stream", "binary/octet-stream")


class FileFormat(Enum):
    """The formats that are decoded: a name, and the media types that each goes by as each kind."""

    PNG = ("PNG", {_IMAGE: ("image/png", "image/apng")})
    JPEG = ("JPEG", {_IMAGE: ("image/jpeg", "image/jpg", "image/pjpeg")})
    WEBP = ("WebP", {_IMAGE: ("image/webp",)})
    GIF = ("GIF", {_IMAGE: ("image/gif",), _VIDEO: ("image/gif", "video/gif")})
    BMP = ("BMP", {_IMAGE: ("image/bmp", "image/x-bmp", "image/x-ms-bmp")})
    TIFF = ("TIFF", {_IMAGE: ("image/tiff", "image/tiff-fx")})
    AVIF = ("AVIF", {_IMAGE: ("image/avif", "image/avif-sequence")})
    WAV = ("WAV", {_AUDIO: ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")})
    FLAC = ("FLAC", {_AUDIO: ("audio/flac", "audio/x-flac")})
    MP3 = ("MP3", {_AUDIO: ("audio/mpeg", "audio/mp3", "audio/x-mp3")})
    OGG = ("OGG", {_AUDIO: ("audio/ogg", "audio/opus", "audio/vorbis", "application/ogg")})
    # AAC in the frames of its own that radio and phones send (ADTS).
    AAC = ("AAC", {_AUDIO: ("audio/aac", "audio/aacp", "audio/x-aac")})
    M4A = ("M4A", {_AUDIO: ("audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac", "audio/m4b")})
    MP4 = (
        "MP4",
        {
            _VIDEO: ("video/mp4", "video/quicktime", "video/x-m4v", "application/mp4"),
            _AUDIO: ("audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac", "application/mp4"),
        },
    )
    WEBM = ("WebM", {_VIDEO: ("video/webm",), _AUDIO: ("audio/webm",)})
    # Headerless samples: never detected, only declared.
    PCM = ("PCM", {_AUDIO: ("audio/pcm", "audio/x-pcm", "audio/raw", "audio/x-raw")})

    def __init__(self, label: str, mime_types: Mapping[Modality, tuple[str, ...]]) -> None:
        self.label = label
        self.mime_types = mime_types

    def mime_type(self, modality: Modality) -> str:
        """Return the usual media type of such a file as that kind."""
        return self.mime_types[modality][0]


def formats_of(modality: Modality) -> list[FileFormat]:
    """Return the formats that a kind of part may be detected to have."""
    return [
        known
        for known in FileFormat
        if modality in known.mime_types and known is not FileFormat.PCM
    ]


def recognise(
    field: str, head: bytes, modality: Modality, claimed_mime_types: Sequence[str] = ()
) -> FileFormat:
    """Return the format of a part's bytes; raises MediaUndecodableError when it is another kind."""
    wanted = ", ".join(known.label for known in formats_of(modality))
    found = detect(head)
    if found is None:
        name = _name_of_refused(head)
        told = f"the bytes are {name}, none of" if name else "the bytes are none of"
        raise MediaUndecodableError(field, f"{told} {wanted}")
    if modality not in found.mime_types:
        raise MediaUndecodableError(
            field,
            f"the bytes are {found.label}, which is {next(iter(found.mime_types))}, not "
            f"{modality}; send one of {wanted}",
        )
    check_claims(field, found, modality, claimed_mime_types)
    return found


def check_claims(
    field: str, found: FileFormat, modality: Modality, claimed_mime_types: Iterable[str]
) -> None:
    """Raise MediaUndecodableError when a claimed media type disagrees with the format."""
    for claim in claimed_mime_types:
        plain = claim.partition(";")[0].strip().lower()
        if plain not in (*_NO_CLAIMS, *found.mime_types[modality]):
            raise MediaUndecodableError(
                field, f"the media type is said to be {claim!r}, but the bytes are {found.label}"
            )


_PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", FileFormat.PNG),
    (b"\xff\xd8\xff", FileFormat.JPEG),
    (b"GIF87a", FileFormat.GIF),
    (b"GIF89a", FileFormat.GIF),
    (b"II*\x00", FileFormat.TIFF),
    (b"MM\x00*", FileFormat.TIFF),
    (b"fLaC", FileFormat.FLAC),
    (b"OggS", FileFormat.OGG),
    (b"ID3", FileFormat.MP3),
)
_RIFF_KINDS = {b"WEBP": FileFormat.WEBP, b"WAVE": FileFormat.WAV}
# The sizes that a BMP's second header may have: OS/2's, and Windows' from 3.1 to 98.
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_ADTS_HEADER_BYTES = 7
_EBML = b"\x1a\x45\xdf\xa3"
_WEBM_DOCUMENT_TYPE = b"\x42\x82\x84webm"
# A brand of ISO 14496-12, 4.3, says by which rules the file is made.
_AVIF_BRANDS = {b"avif", b"avis"}
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF_BRANDS |= {b"mif1", b"msf1", b"mif2"}


def detect(head: bytes) -> FileFormat | None:
    """Return the format whose mark stands at the beginning (the first HEAD_BYTES suffice)."""
    for prefix, file_format in _PREFIXES:
        if head.startswith(prefix):
            return file_format
    if head.startswith(b"RIFF"):
        return _RIFF_KINDS.get(head[8:12])
    if head.startswith(b"BM"):
        is_known = int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES
        return FileFormat.BMP if is_known else None
    if head[4:8] == b"ftyp":
        return _from_brands(head)
    if head.startswith(_EBML) and _WEBM_DOCUMENT_TYPE in head:
        return FileFormat.WEBM
    return _from_frames(head)


def _from_frames(head: bytes) -> FileFormat | None:
    """Recognise sounds that have no header but that of each frame."""
    if _is_adts_frame(head):
        return FileFormat.AAC
    return FileFormat.MP3 if _is_mpeg_audio_frame(head) else None


def _brands(head: bytes) -> list[bytes]:
    """Return the major brand, and the compatible ones."""
    end = min(int.from_bytes(head[:4]), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]


def _from_brands(head: bytes) -> FileFormat | None:
    brands = _brands(head)
    if _AVIF_BRANDS & set(brands):
        return FileFormat.AVIF
    if brands[0] in _HEIF_BRANDS:
        return None
    return FileFormat.M4A if brands[0] in _SOUND_BRANDS else FileFormat.MP4


def _is_mpeg_audio_frame(head: bytes) -> bool:
    """Tell whether a frame header of MPEG audio stands first (ISO 11172-3, 2.4.1.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - sync bits
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bit_rate != 15 and sample_rate != 3  # noqa: PLR2004


def _is_adts_frame(head: bytes) -> bool:
    """Tell whether an ADTS frame stands first, and another behind it (ISO 13818-7, 6.2)."""
    if not _has_adts_sync(head):
        return False
    size = int.from_bytes(head[3:6]) >> 5 & 0x1FFF
    return size >= _ADTS_HEADER_BYTES and (size + 1 >= len(head) or _has_adts_sync(head[size:]))


def _has_adts_sync(data: bytes) -> bool:
    if len(data) < _ADTS_HEADER_BYTES or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:  # noqa: PLR2004
        return False
    return data[2] >> 2 & 15 <= 12  # noqa: PLR2004 - the rates that there are


# What people send and is not read, so that the refusal can name it.
_REFUSED_PREFIXES = (
    (_EBML, "Matroska but not WebM"),
    (b"%PDF", "PDF"),
    (b"#EXTM3U", "a playlist"),
    (b"ffconcat", "a playlist"),
    (b"II+\x00", "BigTIFF"),
    (b"MM\x00+", "BigTIFF"),
    (b"FORM", "AIFF"),
    (b"FLV", "FLV"),
)


def _name_of_refused(head: bytes) -> str | None:
    for prefix, name in _REFUSED_PREFIXES:
        if head.startswith(prefix):
            return name
    if head[4:8] == b"ftyp":
        return "HEIF (HEIC)"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "AVI"
    return "SVG" if b"<svg" in head[:1024].lower() else None
