"""Of a video, evenly spread frames are taken; how many, and which, is the part's choice."""

from __future__ import annotations

import numpy as np
import pytest

from service.errors import InvalidRequestError, MediaUndecodableError
from service.media.video import Clip, decode_video
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    FIELD,
    VIDEO_CODECS,
    encode_video,
    frame_numbers,
    gradient,
    grey_frames,
    video_medium,
)


def clip_of(data: bytes, **sampling: float) -> Clip:
    clip = decode_video(video_medium(data, **sampling), AUDIO_RATE_HZ)
    assert clip.frames.dtype == np.uint8
    assert len(clip.frames) == len(clip.indices)
    return clip


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_a_clip_says_what_it_was(codec: str) -> None:
    clip = clip_of(encode_video(grey_frames(30), codec))
    assert clip.total_frames == 30
    assert clip.fps == pytest.approx(10)
    assert clip.duration_s == pytest.approx(3)
    assert clip.frames.shape == (6, 48, 64, 3)


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_the_frames_are_those_of_the_indices(codec: str) -> None:
    """In order of showing, which is not that of the file when frames refer to later ones."""
    options = {"bf": "3"} if codec == "libx264" else {}
    data = encode_video(grey_frames(30), codec, options=options)
    clip = clip_of(data, num_frames=30)
    assert clip.indices == tuple(range(30))
    assert frame_numbers(clip.frames) == list(range(30))
    clip = clip_of(data, num_frames=4)
    assert clip.indices == (0, 10, 19, 29)
    assert frame_numbers(clip.frames) == [0, 10, 19, 29]


@pytest.mark.parametrize(
    ("count", "rate", "expected"),
    [
        (1, 10, 1),
        (2, 10, 2),
        (3, 10, 2),
        (5, 10, 4),
        (10, 10, 4),
        (25, 10, 6),
        (30, 10, 6),
        (32, 1, 32),
        (100, 2, 32),
    ],
)
def test_two_frames_a_second_unless_asked(count: int, rate: int, expected: int) -> None:
    """At least 4, at most 32, never more than there are; an even number, as models pair them."""
    clip = clip_of(encode_video(grey_frames(count), rate=rate))
    assert len(clip.indices) == expected
    assert clip.indices[0] == 0
    assert clip.indices[-1] == (count - 1 if expected > 1 else 0)


@pytest.mark.parametrize(
    ("fps", "expected"), [(0.01, 1), (1, 3), (2.5, 8), (5, 15), (10, 30), (60, 30), (1e308, 30)]
)
def test_fps_chooses_so_many_a_second(fps: float, expected: int) -> None:
    clip = clip_of(encode_video(grey_frames(30)), fps=fps)
    assert len(clip.indices) == expected
    assert clip.fps == pytest.approx(10)


@pytest.mark.parametrize(("num_frames", "expected"), [(1, 1), (2, 2), (3, 3), (29, 29), (99, 30)])
def test_num_frames_chooses_so_many(num_frames: int, expected: int) -> None:
    """Odd numbers too: here the caller decides."""
    clip = clip_of(encode_video(grey_frames(30)), num_frames=num_frames)
    assert len(set(clip.indices)) == expected
    gaps = np.diff(clip.indices)
    assert gaps.size == 0 or gaps.max() - gaps.min() <= 1


def test_a_cut_is_a_clip_of_its_own() -> None:
    """Frames count from the cut's start; its end is not part of it."""
    clip = clip_of(encode_video(grey_frames(30)), start_s=1, end_s=2, num_frames=3)
    assert clip.total_frames == 10
    assert clip.duration_s == pytest.approx(1)
    assert clip.indices == (0, 4, 9)
    assert frame_numbers(clip.frames) == [10, 14, 19]
    assert clip_of(encode_video(grey_frames(30)), start_s=2.5).total_frames == 5
    assert clip_of(encode_video(grey_frames(30)), end_s=0.05).total_frames == 1


@pytest.mark.parametrize("cut", [{"start_s": 3.0}, {"start_s": 0.01, "end_s": 0.02}])
def test_a_cut_without_frames_is_the_start_moments_fault(cut: dict) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        clip_of(encode_video(grey_frames(30)), **cut)
    assert caught.value.violations == [
        (f"{FIELD}.start_s", "no frame lies there; the last is at 2.9 seconds")
    ]


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_the_picture_is_the_same(codec: str) -> None:
    """Also where rows are no multiple of what decoders like."""
    picture = gradient(70, 50)
    frames = clip_of(encode_video([picture] * 3, codec)).frames
    assert frames.shape[1:] == (50, 70, 3)
    # A GIF here has 256 colours of three, three and two bits.
    assert np.abs(frames[0] - picture.astype(int)).mean() < (16 if codec == "gif" else 8)


def test_a_file_without_pictures_is_refused() -> None:
    """An MP4 may hold sound alone, or nothing at all."""
    with pytest.raises(MediaUndecodableError, match="holds no video stream"):
        clip_of(b"\x00\x00\x00\x14ftypisom" + bytes(8) + b"\x00\x00\x00\x08moov")
