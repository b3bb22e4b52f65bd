"""New media of known sizes, a different one for each seed: no cache has met them."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
from numpy.typing import NDArray

from tests.unit.media.files import encode_audio, encode_image, encode_video

WIDTH, HEIGHT = 48, 32
SOUND_SECONDS, SOUND_CHANNELS, SOUND_RATE_HZ = 0.25, 2, 24_000
CLIP_WIDTH, CLIP_HEIGHT, CLIP_SECONDS = 64, 48, 1.2
# Twelve frames, of which the model sees four (service/media/frame_choice.py).
CLIP_FRAMES_SEEN = 4
_CLIP_FRAMES, _CLIP_RATE = 12, 10
_seeds = itertools.count()


def new_picture(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Return a PNG of coarse noise."""
    return encode_image(_noise(width, height), "PNG")


def new_sound(seconds: float = SOUND_SECONDS) -> bytes:
    """Return a WAV of quiet noise."""
    samples = _random().uniform(-0.2, 0.2, (round(seconds * SOUND_RATE_HZ), SOUND_CHANNELS))
    return encode_audio(samples.astype(np.float32), SOUND_RATE_HZ, "WAV", "PCM_16")


def new_clip(
    frames: int = _CLIP_FRAMES, width: int = CLIP_WIDTH, height: int = CLIP_HEIGHT
) -> bytes:
    """Return an MP4 of noise, ten frames a second."""
    return encode_video([_noise(width, height) for _ in range(frames)], rate=_CLIP_RATE)


NEW = {"image": new_picture, "audio": new_sound, "video": new_clip}


def _random() -> np.random.Generator:
    seed = hashlib.sha256(f"medium {next(_seeds)}".encode()).digest()
    return np.random.default_rng(int.from_bytes(seed[:8]))


def _noise(width: int, height: int) -> NDArray[np.uint8]:
    coarse = _random().integers(0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
