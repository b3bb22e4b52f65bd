"""Two hundred damaged files of each format: refused in the documented way, or sound media."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import numpy as np
import pytest

from service.domain.limits import MediaLimits
from service.domain.media import DecodedAudio, DecodedImage, DecodedMedia
from service.errors import InvalidRequestError
from tests.unit.media.files import FIELD, SAMPLE_NAMES, decode_bytes, sample

# Outside of tests, the filter of image.py is there.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
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
        assert np.isfinite(decoded.samples).all()
        return
    pixels = decoded.pixels[None] if isinstance(decoded, DecodedImage) else decoded.frames
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 4
    assert min(pixels.shape) >= 1
    assert pixels.shape[3] == 3


@pytest.mark.parametrize("damage", [truncated, flipped], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_damage_never_raises_anything_else(
    name: str, damage: Callable[[bytes, Random], Iterator[bytes]]
) -> None:
    known, refusals = sample(name), []
    for data in damage(known.data, Random(name)):
        try:
            check(decode_bytes(known.part, data, SMALL))
        except MemoryError:
            # FFmpeg is asked for more than it ever gives; the worker tells that as a limit.
            refusals.append([FIELD])
        except InvalidRequestError as refusal:
            refusals.append([field for field, _ in refusal.violations])
    # Any beginning of a WAV is one too, but for its header; and samples are samples.
    assert refusals or name in ("wav", "pcm")
    assert all(field == FIELD for (field,) in refusals) or name == "pcm"
