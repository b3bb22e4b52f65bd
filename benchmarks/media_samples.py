"""Photos, videos and sounds to measure with: made here, the same on every run, all different.

Encoding them costs seconds each, so they are kept in the system's temporary directory.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

PHOTO_SIZE = (4000, 3000)
VIDEO_SIZE = (1280, 720)
VIDEO_SECONDS = 10
VIDEO_FPS = 30
SOUND_SECONDS = 30
SOUND_RATE_HZ = 44_100
# The name changes when what is drawn does.
_KEPT = Path(tempfile.gettempdir()) / "triptych-benchmark-media-1"
_VIDEO_BITS_A_SECOND = 4_000_000
_MP3_BITS_A_SECOND = 128_000


def photos(numbers: Sequence[int]) -> list[bytes]:
    """Return JPEGs of 12 megapixels, about 3 MB each; equal numbers give equal ones."""
    return _kept("photo", "jpg", numbers, _draw_photo)


def videos(numbers: Sequence[int]) -> list[bytes]:
    """Return MP4s (H.264) of 10 seconds, 1280x720, 30 frames a second, about 4 MB each."""
    return _kept("video", "mp4", numbers, _draw_video)


def mp3_sounds(numbers: Sequence[int]) -> list[bytes]:
    """Return stereo MP3s of 30 seconds."""
    return _kept("sound", "mp3", numbers, _sound_mp3)


def wav_sounds(numbers: Sequence[int]) -> list[bytes]:
    """Return stereo 16-bit WAVs of 30 seconds."""
    return _kept("sound", "wav", numbers, _sound_wav)


def _kept(
    kind: str, suffix: str, numbers: Sequence[int], make: Callable[[int], bytes]
) -> list[bytes]:
    _KEPT.mkdir(exist_ok=True)
    files = []
    for seed in numbers:
        path = _KEPT / f"{kind}-{seed}.{suffix}"
        if not path.is_file():
            unfinished = path.with_suffix(f".{os.getpid()}")
            unfinished.write_bytes(make(seed))
            unfinished.rename(path)
        files.append(path.read_bytes())
    return files


def _draw_photo(seed: int) -> bytes:
    # Grain makes a photo as large, and as slow to decode, as a camera's.
    random = np.random.default_rng(seed)
    grain = random.integers(-12, 13, (PHOTO_SIZE[1], PHOTO_SIZE[0], 1), dtype=np.int16)
    pixels = _blocks(random, PHOTO_SIZE) + grain
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _draw_video(seed: int) -> bytes:
    width, height = VIDEO_SIZE
    random = np.random.default_rng(seed)
    # A window moves over a larger picture, and a square moves over the window.
    background = (_blocks(random, (2 * width, height))).astype(np.uint8)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=VIDEO_FPS, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = _VIDEO_BITS_A_SECOND
        stream.codec_context.thread_count = 1
        for index in range(VIDEO_SECONDS * VIDEO_FPS):
            pixels = background[:, 4 * index : 4 * index + width].copy()
            pixels[100:200, 2 * index : 2 * index + 100] = random.integers(
                0, 256, (100, 100, 3), dtype=np.uint8
            )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _blocks(random: np.random.Generator, size: tuple[int, int]) -> NDArray[np.int16]:
    small = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    large = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(large).astype(np.int16)


def _sound_wav(seed: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, _play(seed), SOUND_RATE_HZ, "PCM_16", format="WAV")
    return buffer.getvalue()


def _sound_mp3(seed: int) -> bytes:
    samples = (_play(seed).T * 32767).astype(np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=SOUND_RATE_HZ, layout="stereo")
        stream.bit_rate = _MP3_BITS_A_SECOND
        interleaved = np.ascontiguousarray(samples.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout="stereo")
        frame.sample_rate = SOUND_RATE_HZ
        resampler = av.AudioResampler(stream.format, stream.layout, SOUND_RATE_HZ)
        for planar in resampler.resample(frame):
            container.mux(stream.encode(planar))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _play(seed: int) -> NDArray[np.float64]:
    """Return a chord that swells, with a little noise: samples [n, 2] within -1 and 1."""
    random = np.random.default_rng(seed)
    times_s = np.arange(SOUND_SECONDS * SOUND_RATE_HZ) / SOUND_RATE_HZ
    tones = [np.sin(2 * np.pi * hz * times_s) for hz in random.uniform(110, 1760, 4)]
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 0.5 * times_s)
    mono = 0.2 * swell * sum(tones)
    return np.stack([mono, 0.8 * mono], axis=1) + random.normal(0, 0.005, (len(times_s), 2))
