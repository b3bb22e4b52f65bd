"""Decodes one medium: an encoded file in, bounded pixels or samples out.

Synchronous, and made for a process that may be ended at any moment: the libraries below are given
files by strangers. The file is what its bytes say, its header is checked against the limits before
anything is decoded, and every failure is an error of the request's field, but MemoryError, which is
the process's own affair. Neither names, URLs nor paths come here.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from service.domain.conversation import AudioPart, ImagePart, MediaPart
from service.domain.limits import MediaLimits
from service.domain.media import (
    DecodedAudio,
    DecodedImage,
    DecodedMedia,
    DecodedVideo,
    MediaDescription,
)
from service.errors import InvalidRequestError, MediaUndecodableError
from service.media.audio import decode_audio, describe_audio
from service.media.file_format import HEAD_BYTES, FileFormat, check_claims, detect, recognise
from service.media.image import decode_image, describe_image
from service.media.open_medium import OpenMedium
from service.media.video import decode_video, describe_video

# What begins so is no headerless sound by any chance.
_FILES_OF_SOUND = (FileFormat.WAV, FileFormat.FLAC, FileFormat.OGG, FileFormat.M4A)


def describe(
    part: MediaPart,
    file: BinaryIO,
    size_bytes: int,
    limits: MediaLimits,
    claimed_mime_types: Sequence[str] = (),
) -> MediaDescription:
    """Return what the header tells, decoding nothing; checks all limits that it can tell of.

    Of a video, the packets are walked through, so that its frames are counted and not believed.
    """
    file_format = _format_of(part, file, claimed_mime_types)
    with _refusing(part.field, file_format):
        if isinstance(part, ImagePart):
            return describe_image(OpenMedium(part, file, size_bytes, file_format, limits))
        if isinstance(part, AudioPart):
            return describe_audio(OpenMedium(part, file, size_bytes, file_format, limits))
        return describe_video(OpenMedium(part, file, size_bytes, file_format, limits))


def decode(  # noqa: PLR0913 - what each of them is, is at each call
    part: MediaPart,
    file: BinaryIO,
    size_bytes: int,
    limits: MediaLimits,
    *,
    audio_rate_hz: int,
    digest: str,
    claimed_mime_types: Sequence[str] = (),
) -> DecodedMedia:
    """Decode a medium; sounds come out at `audio_rate_hz`, and `digest` goes into the result."""
    file_format = _format_of(part, file, claimed_mime_types)
    with _refusing(part.field, file_format):
        if isinstance(part, ImagePart):
            image = OpenMedium(part, file, size_bytes, file_format, limits)
            return DecodedImage(part.field, digest, decode_image(image))
        if isinstance(part, AudioPart):
            audio = OpenMedium(part, file, size_bytes, file_format, limits)
            samples = decode_audio(audio, audio_rate_hz)
            return DecodedAudio(part.field, digest, samples, audio_rate_hz)
        video = OpenMedium(part, file, size_bytes, file_format, limits)
        clip = decode_video(video, audio_rate_hz)
        return DecodedVideo(
            field=part.field,
            sha256=digest,
            frames=clip.frames,
            fps=clip.fps,
            duration_s=clip.duration_s,
            total_frames=clip.total_frames,
            frame_indices=clip.indices,
            sound=clip.sound,
            sound_rate_hz=audio_rate_hz if clip.sound is not None else 0,
        )


def content_digest(part: MediaPart, sha256: bytes) -> str:
    """Name the decoded content: the same bytes cut or scaled otherwise are other content.

    `sha256` is that of the encoded bytes; the rate of a sound, which is the model's, is not named.
    """
    if isinstance(part, ImagePart):
        options: tuple[object, ...] = (part.max_pixels,)
    elif isinstance(part, AudioPart):
        pcm = part.pcm
        raw = (pcm.encoding.value, pcm.sample_rate_hz, pcm.channels) if pcm else None
        options = (part.start_s, part.end_s, raw)
    else:
        options = (part.start_s, part.end_s, part.fps, part.num_frames, part.use_sound)
    digest = hashlib.sha256(sha256)
    digest.update(repr((part.modality.value, options)).encode())
    return digest.hexdigest()


def _format_of(part: MediaPart, file: BinaryIO, claimed_mime_types: Sequence[str]) -> FileFormat:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not isinstance(part, AudioPart) or part.pcm is None:
        return recognise(part.field, head, part.modality, claimed_mime_types)
    found = detect(head)
    if found in _FILES_OF_SOUND:
        raise InvalidRequestError(
            f"{part.field}.pcm", f"the bytes are a {found.label} file, not headerless samples"
        )
    check_claims(part.field, FileFormat.PCM, part.modality, claimed_mime_types)
    return FileFormat.PCM


@contextmanager
def _refusing(field: str, file_format: FileFormat) -> Iterator[None]:
    """Turn whatever a library stumbles over in a damaged file into the field's error."""
    try:
        yield
    except (InvalidRequestError, MemoryError):
        raise
    except Exception as exc:
        if getattr(exc, "errno", None) == errno.ENOMEM:
            raise MemoryError from exc
        raise MediaUndecodableError(
            field, f"the {file_format.label} file cannot be decoded: {_cause(exc)}"
        ) from exc


# What the libraries say in words of their own.
_OTHER_WORDS = (
    (
        re.compile(r"Decompressed data too large|MAX_TEXT_MEMORY"),
        "its texts are too large unpacked",
    ),
    (re.compile(r"decoder error -\d+"), "its pixels are damaged"),
    (re.compile(r"SF_INFO"), "its header contradicts itself"),
    (re.compile(r"Input/output error|End of file|unpack requires"), "it breaks off"),
    (re.compile(r"Invalid argument"), "its pictures are not what its header says"),
)


def _cause(exc: Exception) -> str:
    """Return what happened in a line, without the library's number and objects' names."""
    text = str(getattr(exc, "strerror", None) or exc).strip()
    line = re.sub(r"\s*<[^<>]* object[^<>]*>|\s*<_io\.[^<>]*>", "", text.partition("\n")[0])
    told = (words for pattern, words in _OTHER_WORDS if pattern.search(line))
    return next(told, line.strip() or type(exc).__name__)
