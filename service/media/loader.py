"""The MediaLoader port on threads: the decoders release Python's lock while they work."""

from __future__ import annotations

import asyncio
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

from service.domain.conversation import AudioPart, ImagePart, InlineSource, MediaPart
from service.domain.media import DecodedAudio, DecodedImage, DecodedMedia, DecodedVideo
from service.errors import InvalidRequestError, MediaUndecodableError
from service.media.audio import decode_audio
from service.media.file_format import FileFormat, recognise
from service.media.image import decode_image
from service.media.limits import MediaLimits
from service.media.video import decode_video

_CONTAINERS = {FileFormat.MP4: "mp4", FileFormat.WEBM: "matroska"}


class ThreadedMediaLoader:
    """Decodes parts in `threads` threads; sounds come out at `audio_rate_hz`."""

    def __init__(
        self, *, threads: int, audio_rate_hz: int, limits: MediaLimits | None = None
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="media")
        self._audio_rate_hz = audio_rate_hz
        self._limits = limits or MediaLimits()

    async def load(self, part: MediaPart) -> DecodedMedia:
        """Decode one part; a call that is cancelled while it waits for a thread never runs."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._load, part)

    def close(self) -> None:
        """Drop what waits; what runs comes to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _load(self, part: MediaPart) -> DecodedMedia:
        file_format = recognise(part.field, part.source, part.modality)
        _check_digest(part.field, part.source)
        try:
            return self._decode(part, file_format)
        except InvalidRequestError:
            raise
        except Exception as exc:
            # The libraries raise whatever a damaged file makes them stumble over.
            raise MediaUndecodableError(
                part.field, f"the {file_format.label} file cannot be decoded: {_cause(exc)}"
            ) from exc

    def _decode(self, part: MediaPart, file_format: FileFormat) -> DecodedMedia:
        digest = _digest(part)
        if isinstance(part, ImagePart):
            return DecodedImage(part.field, digest, decode_image(part, self._limits))
        if isinstance(part, AudioPart):
            samples = decode_audio(part, self._limits, self._audio_rate_hz)
            return DecodedAudio(part.field, digest, samples, self._audio_rate_hz)
        clip = decode_video(part, self._limits, _CONTAINERS[file_format])
        return DecodedVideo(
            field=part.field,
            sha256=digest,
            frames=clip.frames,
            fps=clip.fps,
            duration_s=clip.duration_s,
            total_frames=clip.total_frames,
            frame_indices=clip.indices,
        )


def _cause(exc: Exception) -> str:
    """Return what happened in a line, without the library's number and file name."""
    text = str(getattr(exc, "strerror", None) or exc).strip() or type(exc).__name__
    return re.sub(r" <_io\.BytesIO[^>]*>", "", text.splitlines()[0])


def _check_digest(field: str, source: InlineSource) -> None:
    if source.sha256 is not None and source.sha256 != hashlib.sha256(source.data).digest():
        raise InvalidRequestError(f"{field}.source.sha256", "is not the SHA-256 of the bytes")


def _digest(part: MediaPart) -> str:
    """Name the decoded content: the same bytes cut or scaled otherwise are other content."""
    digest = hashlib.sha256(part.source.data)
    if isinstance(part, ImagePart):
        options: tuple[object, ...] = (part.max_pixels,)
    elif isinstance(part, AudioPart):
        options = (part.start_s, part.end_s)
    else:
        options = (part.start_s, part.end_s, part.fps, part.num_frames)
    digest.update(repr((part.modality, options)).encode())
    return digest.hexdigest()
