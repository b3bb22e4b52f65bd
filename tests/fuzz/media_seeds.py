"""What the media fuzzer begins with: files in order, of every kind that a decoder tells apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from service.domain.conversation import MediaPart, VideoPart
from tests.unit.media.files import (
    encode_audio,
    encode_image,
    encode_video,
    gradient,
    grey_frames,
    sample,
    tone,
)
from tests.unit.media.vp8_packets import encode_vp8, hidden, webm_of

# Each is a sample's name, of which it takes the part.
_PICTURES = ("png", "jpeg", "webp", "gif", "bmp", "tiff", "avif")
_SOUNDS = ("wav", "flac", "mp3", "ogg", "opus", "aac", "m4a", "pcm", "webm-sound")
_MP4 = ("mp4-h264", "mp4-h265", "mp4-mpeg4")
_WEBM = ("webm-vp8", "webm-vp9", "webm-av1")
DECODERS = (*_PICTURES, *_SOUNDS, *_MP4, *_WEBM, "gif-video")


def part_for(decoder: str) -> MediaPart:
    """Return a decoder's part; a video may have a sound, which is wanted then."""
    return sample(decoder).part


def with_sound(part: MediaPart) -> MediaPart:
    """Return a part that also reads the sound, if it is one of a video."""
    return replace(part, use_sound=True) if isinstance(part, VideoPart) else part


def seeds(decoder: str) -> list[bytes]:
    """Return the sample, and the variants that have code of their own in the decoder."""
    return [sample(decoder).data, *(make() for make in _VARIANTS.get(decoder, ()))]


def _picture(mode: str, kind: str, **options: object) -> bytes:
    return encode_image(Image.fromarray(gradient(20, 12)).convert(mode), kind, **options)


def _animated(kind: str) -> bytes:
    frames = [Image.fromarray(np.roll(gradient(20, 12), n, axis=1)) for n in range(3)]
    return encode_image(frames[0], kind, save_all=True, append_images=frames[1:])


def _turned(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x112] = 6
    return encode_image(gradient(20, 12), kind, exif=exif)


def _stereo(kind: str, subtype: str | None = None, rate_hz: int = 24_000) -> bytes:
    wave = np.stack([tone(440, 0.2, rate_hz), tone(700, 0.2, rate_hz)], axis=1)
    return encode_audio(wave, rate_hz, kind, subtype)


def _clip(codec: str, **options: object) -> bytes:
    # Smaller ones make the x265 of PyAV 18.1 write beyond its memory.
    return encode_video(grey_frames(6), codec, **options)


def _clip_with_sound(codec: str) -> bytes:
    return _clip(codec, sound=tone(440, 0.3, 48_000))


def _vp8_with_hidden_frame() -> bytes:
    packets = encode_vp8(grey_frames(5))
    return webm_of([*packets[:3], hidden(packets[2]), *packets[3:]], 64, 48)


_TIFF_PACKINGS = ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "group4")
_WAV_SUBTYPES = ("PCM_U8", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM")
_VARIANTS: dict[str, list[Callable[[], bytes]]] = {
    "png": [
        *(partial(_picture, mode, "PNG") for mode in ("1", "L", "P", "LA", "RGBA")),
        partial(_turned, "PNG"),
        partial(_animated, "PNG"),
        partial(_picture, "P", "PNG", transparency=3),
    ],
    "jpeg": [
        partial(_picture, "RGB", "JPEG", progressive=True),
        partial(_picture, "L", "JPEG"),
        partial(_picture, "CMYK", "JPEG"),
        partial(_turned, "JPEG"),
        partial(_animated, "MPO"),
    ],
    "webp": [
        partial(_picture, "RGBA", "WEBP", lossless=True),
        partial(_animated, "WEBP"),
        partial(_turned, "WEBP"),
    ],
    "gif": [partial(_animated, "GIF"), partial(_picture, "L", "GIF", interlace=1)],
    "bmp": [partial(_picture, mode, "BMP") for mode in ("1", "L", "P")],
    "tiff": [
        *(
            partial(_picture, "1" if packing == "group4" else "RGB", "TIFF", compression=packing)
            for packing in _TIFF_PACKINGS
        ),
        partial(_picture, "CMYK", "TIFF"),
        partial(_turned, "TIFF"),
        partial(_animated, "TIFF"),
    ],
    "avif": [partial(_picture, "RGBA", "AVIF"), partial(_animated, "AVIF")],
    "wav": [partial(_stereo, "WAV", subtype) for subtype in _WAV_SUBTYPES],
    "flac": [partial(_stereo, "FLAC", "PCM_24")],
    "mp3": [partial(_stereo, "MP3"), lambda: b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + _stereo("MP3")],
    "ogg": [partial(_stereo, "OGG", "VORBIS")],
    "opus": [partial(_stereo, "OGG", "OPUS")],
    "aac": [partial(_stereo, "AAC")],
    "m4a": [
        *(partial(_stereo, kind) for kind in ("M4A", "MP4", "M4A ALAC", "MP4 FLAC", "MP4 MP3")),
        partial(_stereo, "MP4 OPUS", None, 48_000),
    ],
    "webm-sound": [
        *(partial(_stereo, kind, None, 48_000) for kind in ("WEBM", "WEBM VORBIS")),
    ],
    "mp4-h264": [
        partial(_clip_with_sound, "libx264"),
        partial(_clip, "libx264", movflags="frag_keyframe+empty_moov"),
        partial(_clip, "libx264", options={"bf": "2", "preset": "medium"}),
    ],
    "mp4-h265": [partial(_clip_with_sound, "libx265")],
    "webm-vp8": [partial(_clip_with_sound, "libvpx"), _vp8_with_hidden_frame],
    "webm-vp9": [partial(_clip_with_sound, "libvpx-vp9")],
    "webm-av1": [partial(_clip, "libsvtav1", kind="mp4")],
    "gif-video": [partial(_animated, "GIF")],
}
