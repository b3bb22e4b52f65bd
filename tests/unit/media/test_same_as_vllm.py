"""What the engine gets is what vLLM's own loaders make of the same file.

Where the decoder is the same library, which vLLM's defaults are on a machine without FFmpeg's own
libraries, not one value differs. docs/adr/0004-decoders.md lists what is different on purpose; the
tests below whose names say `unlike vLLM` hold those differences fast.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.config import prepare_engine_environment
from service.media.audio import decode_audio
from service.media.image import decode_image
from service.media.video import decode_video
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    VIDEO_CODECS,
    audio_medium,
    encode_audio,
    encode_image,
    encode_video,
    gradient,
    image_medium,
    tone,
    video_medium,
)

prepare_engine_environment("error")

audio_loader = pytest.importorskip("vllm.multimodal.media.audio")
image_loader = pytest.importorskip("vllm.multimodal.media.image")
video_loader = pytest.importorskip("vllm.multimodal.media.video")
vllm_audio = pytest.importorskip("vllm.multimodal.audio")

ALL_KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
MODES = {
    "1": ("PNG", "TIFF", "BMP", "GIF"),
    "L": ALL_KINDS,
    "P": ("PNG", "GIF", "TIFF", "BMP"),
    "RGB": ALL_KINDS,
    "RGBA": ("PNG", "WEBP", "TIFF", "AVIF", "GIF"),
    "LA": ("PNG", "TIFF"),
    "CMYK": ("JPEG", "TIFF"),
    "YCbCr": ("JPEG", "TIFF"),
    "LAB": ("TIFF",),
    "F": ("TIFF",),
    "I": ("TIFF",),
}
CASES = [(mode, kind) for mode, kinds in MODES.items() for kind in kinds]
# Kind, subtype, which of vLLM's backends reads it with the same library, and how near the others
# come, as shares of full scale.
SOUNDS = [
    ("WAV", "PCM_U8", "soundfile", {}),
    ("WAV", "PCM_16", "soundfile", {}),
    ("WAV", "PCM_24", "soundfile", {}),
    ("WAV", "PCM_32", "soundfile", {}),
    ("WAV", "FLOAT", "soundfile", {}),
    ("WAV", "DOUBLE", "soundfile", {}),
    ("FLAC", "PCM_16", "soundfile", {}),
    ("FLAC", "PCM_24", "soundfile", {}),
    ("OGG", "VORBIS", "soundfile", {"pyav": 1e-6}),
    ("OGG", "OPUS", "soundfile", {"pyav": 1e-3}),
    ("MP3", None, "pyav", {"soundfile": 1e-5}),
    ("AAC", None, "pyav", {}),
    ("M4A", None, "pyav", {}),
    ("MP4", None, "pyav", {}),
    ("WEBM", None, "pyav", {}),
]


# As ISO 23091-2 counts them: BT.709, BT.601; limited and full range.
COLOURS = [("yuv420p", 1, 1), ("yuv420p", 1, 2), ("yuv420p", 6, 1), ("yuv444p", 6, 1)]


def vllm_pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(image_loader.ImageMediaIO().load_bytes(data).media)


def vllm_samples(data: bytes, backend: str) -> tuple[NDArray[np.float32], int]:
    samples, rate_hz = audio_loader.load_audio(io.BytesIO(data), sr=None, backend=backend)
    return samples, int(rate_hz)


def vllm_clip(data: bytes) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    loader = video_loader.VideoMediaIO(image_loader.ImageMediaIO(), num_frames=-1, backend="opencv")
    frames, metadata = loader.load_bytes(data).media
    return np.asarray(frames), metadata


def coloured_video(
    codec: str, pix_fmt: str, size: tuple[int, int], colorspace: int, color_range: int
) -> bytes:
    """Encode with the code points of ISO 23091-2 for the colours, and 1 or 2 for the range."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        stream = container.add_stream(codec, rate=10, options=options | {"preset": "ultrafast"})
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = colorspace
        context.color_range = color_range
        for shift in (0, 3, 6):
            rgb = av.VideoFrame.from_ndarray(np.roll(gradient(*size), shift, axis=1), "rgb24")
            frame = rgb.reformat(format=pix_fmt)
            frame.colorspace, frame.color_range = colorspace, color_range
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def turned_video(matrix: tuple[int, ...]) -> bytes:
    data = bytearray(encode_video([gradient(64, 48)] * 2))
    a, b, c, d = (value << 16 for value in matrix)
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return bytes(data)


def picture(mode: str) -> Image.Image:
    """Return a gradient, with an alpha that grows downwards where there is one."""
    image = Image.fromarray(gradient())
    if mode in ("RGBA", "LA"):
        alpha = np.repeat(np.linspace(0, 255, 32).astype(np.uint8)[:, None], 48, axis=1)
        image.putalpha(Image.fromarray(alpha))
    if mode == "LAB":
        return Image.merge("LAB", image.split())
    return image.convert(mode)


@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_pictures_are_the_same_pixel_for_pixel(mode: str, kind: str) -> None:
    data = encode_image(picture(mode), kind)
    assert np.array_equal(decode_image(image_medium(data)), vllm_pixels(data))


@pytest.mark.parametrize("orientation", range(9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_turned_pictures_are_the_same(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    data = encode_image(gradient(), kind, exif=exif)
    assert np.array_equal(decode_image(image_medium(data)), vllm_pixels(data))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_is_the_same(kind: str) -> None:
    frames = [Image.fromarray(np.roll(gradient(), 9 * n, axis=1)) for n in range(3)]
    data = encode_image(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.array_equal(decode_image(image_medium(data)), vllm_pixels(data))


@pytest.mark.parametrize("mode", ["L", "P"])
def test_a_transparent_colour_is_the_same(mode: str) -> None:
    data = encode_image(picture(mode), "PNG", transparency=90)
    assert np.array_equal(decode_image(image_medium(data)), vllm_pixels(data))


def test_sixteen_bits_are_scaled_unlike_vllm() -> None:
    """Pillow clips at 255 there, and nearly all of such a picture becomes white."""
    values = np.linspace(0, 65_535, 48 * 32).astype(np.uint16).reshape(32, 48)
    data = encode_image(Image.fromarray(values), "PNG")
    ours, theirs = decode_image(image_medium(data)), vllm_pixels(data)
    assert (theirs == 255).mean() > 0.99
    assert np.abs(ours[..., 0] - values / 257.0).max() < 1


def test_a_transparent_colour_of_rgb_becomes_white_unlike_vllm() -> None:
    """It leaves the colour in RGB, but makes it white in grey and in palettes."""
    data = encode_image(Image.new("RGB", (2, 2), (255, 0, 0)), "PNG", transparency=(255, 0, 0))
    assert (decode_image(image_medium(data)) == 255).all()
    assert vllm_pixels(data)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("kind", "subtype", "backend", "others"), SOUNDS)
def test_sounds_are_the_same_sample_for_sample(
    kind: str, subtype: str | None, backend: str, others: dict[str, float], channels: int
) -> None:
    rate_hz = 48_000 if "OPUS" in (subtype, kind) or kind == "WEBM" else 44_100
    wave = np.stack([tone(440 + 260 * n, 1.3, rate_hz) for n in range(channels)], axis=1)
    data = encode_audio(wave, rate_hz, kind, subtype)
    theirs, their_rate_hz = vllm_samples(data, backend)
    ours = decode_audio(audio_medium(data), their_rate_hz)
    assert np.array_equal(ours, theirs)
    for other, tolerance in others.items():
        near = vllm_samples(data, other)[0]
        # Its PyAV loses the last piece of a Vorbis sound, if a short one ends it.
        shared = min(len(ours), len(near))
        assert shared > len(ours) - 256
        assert np.abs(ours[:shared] - near[:shared]).max() <= tolerance


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_resampled_sounds_are_the_same(rate_hz: int) -> None:
    """By the same library; and within a thousandth of what vLLM's default makes of it."""
    wave = tone(440, 1.3, rate_hz) + tone(1_700, 1.3, rate_hz) / 2
    data = encode_audio(wave, rate_hz, "WAV", "FLOAT")
    ours = decode_audio(audio_medium(data), AUDIO_RATE_HZ)
    theirs = {
        method: vllm_audio.AudioResampler(AUDIO_RATE_HZ, method).resample(wave, orig_sr=rate_hz)
        for method in ("soxr", "torchaudio")
    }
    assert np.array_equal(ours, theirs["soxr"])
    assert abs(len(ours) - len(theirs["torchaudio"])) <= 1
    shared = min(len(ours), len(theirs["torchaudio"]))
    # The filters see the beginning and the end differently.
    difference = (ours[:shared] - theirs["torchaudio"][:shared])[200:-200]
    assert np.abs(difference).max() < 1e-3


def test_a_sound_longer_than_a_block_is_the_same() -> None:
    """Ours is resampled in pieces, theirs whole."""
    wave = tone(440, 20, 44_100)
    data = encode_audio(wave, 44_100, "WAV", "FLOAT")
    ours = decode_audio(audio_medium(data), AUDIO_RATE_HZ)
    theirs = vllm_audio.AudioResampler(AUDIO_RATE_HZ, "soxr").resample(wave, orig_sr=44_100)
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("codec", [codec for codec in VIDEO_CODECS if codec != "libsvtav1"])
def test_videos_are_the_same_pixel_for_pixel(codec: str) -> None:
    """And so are their frame rate and length."""
    frames = [np.roll(gradient(96, 64), 3 * n, axis=1) for n in range(12)]
    data = encode_video(frames, codec)
    ours = decode_video(video_medium(data, num_frames=99), AUDIO_RATE_HZ)
    theirs, metadata = vllm_clip(data)
    assert np.array_equal(ours.frames, theirs)
    assert ours.total_frames == metadata["total_num_frames"]
    assert (ours.fps, ours.duration_s) == pytest.approx((metadata["fps"], metadata["duration"]))
    assert list(ours.indices) == metadata["frames_indices"]


@pytest.mark.parametrize(("pix_fmt", "colorspace", "color_range"), COLOURS)
@pytest.mark.parametrize("size", [(96, 64), (1280, 720)])
def test_colours_of_videos_are_the_same(
    pix_fmt: str, colorspace: int, color_range: int, size: tuple[int, int]
) -> None:
    """By whichever rule the file has them, and in whichever size."""
    data = coloured_video("libx264", pix_fmt, size, colorspace, color_range)
    ours = decode_video(video_medium(data, num_frames=99), AUDIO_RATE_HZ)
    assert np.array_equal(ours.frames, vllm_clip(data)[0])


def test_ten_bits_are_rounded_alike() -> None:
    """Ours go to RGB and its go to BGR, for which the scaler has code of its own."""
    data = coloured_video("libx265", "yuv420p10le", (96, 64), 1, 1)
    ours = decode_video(video_medium(data, num_frames=99), AUDIO_RATE_HZ)
    difference = np.abs(ours.frames.astype(int) - vllm_clip(data)[0])
    assert difference.mean() < 2
    assert difference.max() <= 8


@pytest.mark.parametrize("matrix", [(0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)])
def test_turned_videos_are_the_same(matrix: tuple[int, ...]) -> None:
    data = turned_video(matrix)
    ours = decode_video(video_medium(data, num_frames=99), AUDIO_RATE_HZ)
    assert np.array_equal(ours.frames, vllm_clip(data)[0])


def test_mirrored_videos_are_mirrored_unlike_vllm() -> None:
    """Players mirror them; OpenCV looks at the angle alone."""
    ours = decode_video(video_medium(turned_video((-1, 0, 0, 1)), num_frames=99), AUDIO_RATE_HZ)
    assert np.array_equal(ours.frames, vllm_clip(turned_video((1, 0, 0, 1)))[0][:, :, ::-1])


def test_av1_is_decoded_unlike_vllm() -> None:
    """Its OpenCV has no decoder for it that runs on a processor, and gives a clip of no frames."""
    frames = [np.roll(gradient(96, 64), 3 * n, axis=1) for n in range(12)]
    data = encode_video(frames, "libsvtav1")
    ours = decode_video(video_medium(data, num_frames=99), AUDIO_RATE_HZ)
    assert len(vllm_clip(data)[0]) == 0
    assert np.abs(ours.frames.astype(int) - np.stack(frames)).mean() < 8
