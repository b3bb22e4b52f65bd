"""Two hundred damaged files of each format: refused in the documented way, or sound media."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import numpy as np
import pytest

from service.domain.conversation import InlineSource
from service.domain.media import DecodedAudio, DecodedImage, DecodedMedia
from service.errors import LimitExceededError, MediaUndecodableError
from service.media.file_format import FileFormat
from service.media.limits import MediaLimits
from service.media.loader import ThreadedMediaLoader
from tests.unit.media.files import AUDIO_RATE_HZ, FIELD, part_of, sample_file

CASES = 100
# Damage may claim much; the tests need not wait for it.
SMALL = MediaLimits(image_pixels=1_000_000, audio_seconds=60, video_frame_pixels=1_000_000)


def truncated(data: bytes, random: Random) -> Iterator[bytes]:
    step = max(1, len(data) // CASES)
    return (data[:length] for length in range(random.randrange(step), len(data), step))


def flipped(data: bytes, random: Random) -> Iterator[bytes]:
    """One byte of the headers changed, or several anywhere."""
    for case in range(CASES):
        damaged = bytearray(data)
        reach, count = (min(128, len(data)), 1) if case % 2 else (len(data), random.randint(1, 20))
        for _ in range(count):
            damaged[random.randrange(reach)] ^= random.randint(1, 255)
        yield bytes(damaged)


def check(decoded: DecodedMedia) -> None:
    """What does decode is as good as any other."""
    assert decoded.field == FIELD
    if isinstance(decoded, DecodedAudio):
        assert len(decoded.samples)
        assert np.abs(decoded.samples).max() <= 1
        return
    pixels = decoded.pixels[None] if isinstance(decoded, DecodedImage) else decoded.frames
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 4
    assert min(pixels.shape) >= 1
    assert pixels.shape[3] == 3


@pytest.mark.parametrize("damage", [truncated, flipped], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("file_format", FileFormat)
async def test_damage_never_raises_anything_else(
    file_format: FileFormat, damage: Callable[[bytes, Random], Iterator[bytes]]
) -> None:
    loader = ThreadedMediaLoader(threads=1, audio_rate_hz=AUDIO_RATE_HZ, limits=SMALL)
    refusals = []
    for data in damage(sample_file(file_format), Random(file_format.label)):
        try:
            check(await loader.load(part_of(file_format, InlineSource(data))))
        except (MediaUndecodableError, LimitExceededError) as refusal:
            refusals.append([field for field, _ in refusal.violations])
    loader.close()
    # Any beginning of a WAV is one too, but for its header.
    assert refusals or file_format is FileFormat.WAV
    assert refusals == [[FIELD]] * len(refusals)
