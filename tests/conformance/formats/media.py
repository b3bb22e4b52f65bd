"""Media as decoding gives them; vLLM gets the same ones, for what is compared is the prompt."""

from __future__ import annotations

import numpy as np

from service.domain.conversation import Modality
from service.domain.media import DecodedAudio, DecodedImage, DecodedMedia, DecodedVideo

RATE_HZ = 16_000
FPS = 2.0
# Of three shapes, so that a mix-up of two media shows in the number of their tokens.
_SIZES = [(56, 84), (112, 56), (84, 140)]
_SECONDS = [0.6, 1.1, 2.3]


def media(name: str) -> DecodedMedia:
    """Return the medium of that name, such as `image 0`."""
    kind, number = name.split()
    return _MAKERS[Modality(kind)](name, int(number))


def _image(name: str, number: int) -> DecodedImage:
    height, width = _SIZES[number]
    pixels = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
    return DecodedImage(name, name, pixels)


def _audio(name: str, number: int) -> DecodedAudio:
    count = round(_SECONDS[number] * RATE_HZ)
    samples = np.random.default_rng(number).normal(0, 0.1, count).astype(np.float32)
    return DecodedAudio(name, name, samples, RATE_HZ)


def _video(name: str, number: int) -> DecodedVideo:
    count = 4 + 2 * number
    frames = np.random.default_rng(number).integers(0, 255, (count, 56, 84, 3), np.uint8)
    return DecodedVideo(
        field=name,
        sha256=name,
        frames=frames,
        fps=FPS,
        duration_s=count / FPS,
        total_frames=count,
        frame_indices=tuple(range(count)),
    )


_MAKERS = {Modality.IMAGE: _image, Modality.AUDIO: _audio, Modality.VIDEO: _video}
