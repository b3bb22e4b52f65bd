"""Encode drawn pictures, sounds and videos to the bytes of real files.

Pictures become JPEG, PNG or WebP, sounds WAV, MP3, FLAC or OGG, videos MP4 (H.264) or WebM (VP9).
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import soundfile

from demo.model_config import SAMPLING_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_VIDEO_CODECS = {
    "mp4": ("libx264", {"crf": "24", "preset": "veryfast"}),
    "webm": ("libvpx-vp9", {"crf": "32", "cpu-used": "8", "deadline": "realtime"}),
}


def encode_picture(picture: Image.Image, kind: str, quality: int = 85) -> bytes:
    """Encode a picture as `jpeg`, `png` or `webp`; PNG ignores the quality."""
    buffer = io.BytesIO()
    picture.save(buffer, kind.upper(), **({} if kind == "png" else {"quality": quality}))
    return buffer.getvalue()


def encode_sound(wave: NDArray[np.float32], kind: str, rate: int = SAMPLING_RATE) -> bytes:
    """Encode mono samples in [-1, 1] as `wav`, `mp3`, `flac` or `ogg` (Vorbis)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, format=kind.upper())
    return buffer.getvalue()


def encode_video(frames: list[Image.Image], kind: str, frames_per_second: int) -> bytes:
    """Encode frames of one even size as `mp4` or `webm`."""
    buffer = io.BytesIO()
    codec, options = _VIDEO_CODECS[kind]
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=Fraction(frames_per_second), options=options)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for picture in frames:
            for packet in stream.encode(
                av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            ):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return buffer.getvalue()
