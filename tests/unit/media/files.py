"""Real files in memory, one way for each kind, and the parts of a request that hold them."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

from service.domain.conversation import (
    AudioPart,
    ImagePart,
    InlineSource,
    MediaPart,
    Modality,
    VideoPart,
)
from service.media.file_format import FileFormat

FIELD = "conversation.messages[0].parts[1].media"
# What the models of these tests hear.
AUDIO_RATE_HZ = 16_000
# How much brighter each frame of `encode_video` is than the one before.
GREY_STEP = 8
# What each codec's usual file is, and how it is quick without losing much.
_CODECS = {
    "libx264": ("mp4", {"preset": "ultrafast"}),
    "mpeg4": ("mp4", {"qmin": "2", "qmax": "4"}),
    "libvpx": ("webm", {"deadline": "realtime", "cpu-used": "8"}),
    "libvpx-vp9": ("webm", {"deadline": "realtime", "cpu-used": "8"}),
}
VIDEO_CODECS = tuple(_CODECS)
_PARTS = {Modality.IMAGE: ImagePart, Modality.AUDIO: AudioPart, Modality.VIDEO: VideoPart}


def image_part(data: bytes, max_pixels: int | None = None) -> ImagePart:
    return ImagePart(FIELD, InlineSource(data), max_pixels)


def audio_part(data: bytes, **cut: float) -> AudioPart:
    return AudioPart(FIELD, InlineSource(data), **cut)


def video_part(data: bytes, **sampling: float) -> VideoPart:
    return VideoPart(FIELD, InlineSource(data), **sampling)


def part_of(file_format: FileFormat, source: InlineSource) -> MediaPart:
    """Return the kind of part that takes this format."""
    return _PARTS[file_format.modality](FIELD, source)


def gradient(width: int = 48, height: int = 32) -> NDArray[np.uint8]:
    """Return a smooth RGB picture: red grows to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    planes = (x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), np.full_like(x, 90))
    return np.stack(planes, axis=-1).astype(np.uint8)


def encode_image(picture: Image.Image | NDArray[np.uint8], kind: str, **options: object) -> bytes:
    """Encode as `PNG`, `JPEG`, `WEBP` or `MPO`, with Pillow's options."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def tone(hz: float, seconds: float, rate_hz: int) -> NDArray[np.float32]:
    """Return a sine of half the full scale."""
    moments_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hz * moments_s)).astype(np.float32)


def encode_audio(
    samples: NDArray[np.floating], rate_hz: int, kind: str, subtype: str | None = None
) -> bytes:
    """Encode samples [n] or [n, channels] as `WAV`, `FLAC`, `MP3` or `OGG`."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate_hz, format=kind, subtype=subtype)
    return buffer.getvalue()


def grey_frames(count: int, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Return frames that differ in brightness, by which `frame_numbers` knows them again."""
    return [np.full((height, width, 3), GREY_STEP * (n % 32), np.uint8) for n in range(count)]


def frame_numbers(frames: NDArray[np.uint8]) -> list[int]:
    """Return which of `grey_frames` these are; encoding changes the brightness a little."""
    return [round(float(frame.mean()) / GREY_STEP) for frame in frames]


def encode_video(
    frames: Sequence[NDArray[np.uint8]],
    codec: str = "libx264",
    *,
    rate: int = 10,
    options: dict[str, str] | None = None,
    movflags: str = "",
) -> bytes:
    """Encode frames as MP4, or, with a codec of `libvpx`, as WebM."""
    buffer = io.BytesIO()
    kind, codec_options = _CODECS[codec]
    container_options = {"movflags": movflags} if movflags else {}
    with av.open(buffer, "w", format=kind, options=container_options) as container:
        stream = container.add_stream(codec, rate=rate, options=codec_options | (options or {}))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


@functools.cache
def sample_file(file_format: FileFormat) -> bytes:
    """Return a small sound file of the format: a gradient, a tone, or grey frames."""
    if file_format.modality is Modality.IMAGE:
        return encode_image(gradient(), file_format.name)
    if file_format.modality is Modality.AUDIO:
        return encode_audio(tone(440, 0.25, 24_000), 24_000, file_format.name)
    return encode_video(
        grey_frames(12), "libx264" if file_format is FileFormat.MP4 else "libvpx-vp9"
    )
