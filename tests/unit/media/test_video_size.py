"""Too long and too large videos are refused, whatever their header says of them."""

from __future__ import annotations

import pytest
from av.video.frame import VideoFrame

from service.domain.limits import MediaLimits
from service.errors import LimitExceededError, MediaUndecodableError
from service.media import frame_reader
from service.media.video import Clip, decode_video
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    FIELD,
    VIDEO_CODECS,
    encode_video,
    grey_frames,
    video_medium,
)
from tests.unit.media.vp8_packets import encode_vp8, webm_of

FRAME_BYTES = 64 * 48 * 3


def clip_of(data: bytes, limits: MediaLimits, **sampling: float) -> Clip:
    return decode_video(video_medium(data, limits, **sampling), AUDIO_RATE_HZ)


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding a frame fails the test."""
    monkeypatch.setattr(frame_reader._Pictures, "see", lambda *_: pytest.fail("decoded"))


@pytest.mark.parametrize("codec", VIDEO_CODECS)
@pytest.mark.parametrize(
    ("name", "value", "actual"),
    [
        ("video_frame_pixels", 64 * 47, 64 * 48),
        ("video_side", 63, 64),
        ("video_seconds", 2.9, 3.0),
        ("video_frames", 19, 20),
        ("video_bytes", 20 * FRAME_BYTES - 1, 20 * FRAME_BYTES),
    ],
)
def test_each_limit_is_checked_before_decoding(
    codec: str, name: str, value: float, actual: float, no_decoding: None
) -> None:
    data = encode_video(grey_frames(30), codec)
    with pytest.raises(LimitExceededError) as caught:
        clip_of(data, MediaLimits(**{name: value}), num_frames=20)
    metadata = caught.value.metadata
    assert (metadata["field"], metadata["limit"]) == (FIELD, name)
    assert metadata["limit_value"] == str(value)
    assert float(metadata["actual"]) == pytest.approx(actual)


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_limits_can_be_reached(codec: str) -> None:
    limits = MediaLimits(
        video_frame_pixels=64 * 48,
        video_side=64,
        video_seconds=3.001,
        video_frames=20,
        video_bytes=20 * FRAME_BYTES,
    )
    clip = clip_of(encode_video(grey_frames(30), codec), limits, num_frames=20)
    assert clip.frames.nbytes == 20 * FRAME_BYTES


def test_only_the_cut_counts() -> None:
    """Three seconds of a long film are three seconds."""
    data, limits = encode_video(grey_frames(30)), MediaLimits(video_seconds=1.5)
    assert clip_of(data, limits, start_s=1, end_s=2).total_frames == 10
    with pytest.raises(LimitExceededError):
        clip_of(data, limits, start_s=1)


def test_more_frames_than_the_clip_has_are_not_counted_against_the_limit() -> None:
    clip = clip_of(encode_video(grey_frames(10)), MediaLimits(video_frames=10), num_frames=1000)
    assert len(clip.indices) == 10


@pytest.mark.parametrize(
    "limits",
    [MediaLimits(video_frame_pixels=160 * 120 - 1), MediaLimits(video_bytes=160 * 120 * 3 * 4 - 1)],
    ids=["pixels", "bytes"],
)
def test_the_frames_own_size_is_checked_too(limits: MediaLimits) -> None:
    """The header claims 16 x 16, the frames in it are larger."""
    data = webm_of(encode_vp8(grey_frames(10, 160, 120)), 16, 16)
    with pytest.raises(LimitExceededError):
        clip_of(data, limits)
    assert clip_of(data, MediaLimits()).frames.shape[1:] == (120, 160, 3)


def test_a_video_whose_pictures_grow_is_refused_at_the_first_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The large pictures behind it are not even converted."""
    packets = encode_vp8(grey_frames(3)) + encode_vp8(grey_frames(20, 160, 120))
    converted = []
    to_rgb = frame_reader.upright_rgb
    monkeypatch.setattr(
        frame_reader,
        "upright_rgb",
        lambda frame, scaler: converted.append(frame.width) or to_rgb(frame, scaler),
    )
    with pytest.raises(MediaUndecodableError, match="size changes"):
        clip_of(webm_of(packets, 64, 48), MediaLimits(), num_frames=23)
    assert converted == [64, 64, 64]


def test_frames_behind_the_last_chosen_one_are_not_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cut at the beginning of a film costs what the cut costs."""
    decoded = []
    see = frame_reader._Pictures.see

    def note(pictures: frame_reader._Pictures, frame: VideoFrame) -> None:
        decoded.append(frame)
        see(pictures, frame)

    monkeypatch.setattr(frame_reader._Pictures, "see", note)
    clip_of(encode_video(grey_frames(30)), MediaLimits(), end_s=0.5)
    assert len(decoded) == 5
