"""The media of media.py as files, for what takes no arrays: without loss, but for videos."""

from __future__ import annotations

import base64
import io

import soundfile
from PIL import Image

from service.domain.media import DecodedAudio, DecodedImage
from tests.conformance.formats.media import FPS, media
from tests.unit.media.files import encode_video

_MIME_TYPES = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}


def file_of(name: str) -> bytes:
    """Return the medium of that name, such as `image 0`, as PNG, WAV or MP4."""
    one, file = media(name), io.BytesIO()
    if isinstance(one, DecodedImage):
        Image.fromarray(one.pixels).save(file, "png")
    elif isinstance(one, DecodedAudio):
        soundfile.write(file, one.samples, one.sample_rate_hz, format="wav", subtype="FLOAT")
    else:
        return encode_video(list(one.frames), rate=round(FPS))
    return file.getvalue()


def url_of(name: str) -> str:
    """Return the same as a data URL."""
    mime_type = _MIME_TYPES[name.split(maxsplit=1)[0]]
    return f"data:{mime_type};base64,{base64.b64encode(file_of(name)).decode()}"
