"""Frames that are decoded alone are those that are decoded with all others, pixel for pixel."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from service.media import frame_reader
from service.media.frame_plan import PacketTable
from service.media.frame_reader import is_stored, read_frames
from tests.unit.media.files import encode_video, video_medium

COUNT = 48
# Groups of twelve, so that the frames lie in four; B-frames, and such that others refer to.
VIDEOS = {
    "h264": ("libx264", {"g": "12", "sc_threshold": "0", "bf": "3", "preset": "medium"}),
    "h264, open groups": (
        "libx264",
        {"g": "12", "bf": "3", "preset": "medium", "x264-params": "open-gop=1:scenecut=0"},
    ),
    "h264 without B-frames": ("libx264", {"g": "12", "bf": "0"}),
    "h264, pictures that are made whole bit by bit": (
        "libx264",
        {"g": "12", "preset": "medium", "x264-params": "intra-refresh=1"},
    ),
    "h265": ("libx265", {"x265-params": "keyint=12:min-keyint=12:open-gop=0:log-level=none"}),
    "h265, open groups": (
        "libx265",
        {"x265-params": "keyint=12:min-keyint=12:open-gop=1:bframes=4:log-level=none"},
    ),
    "vp8": ("libvpx", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "8"}),
    "vp9": ("libvpx-vp9", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "8"}),
    "av1": ("libsvtav1", {"g": "12"}),
    "mpeg4": ("mpeg4", {"g": "12", "bf": "2"}),
    "gif": ("gif", {}),
}
WANTED = ([0], [11], [12], [13], [23, 24], [10, 30], [47], [0, 20, 40], list(range(COUNT)))


def moving_noise() -> list[NDArray[np.uint8]]:
    """Return frames of which each refers to others when it is encoded."""
    noise = np.random.default_rng(0).integers(0, 255, (48, 64 + COUNT, 3), np.uint8)
    return [np.ascontiguousarray(noise[:, number : number + 64]) for number in range(COUNT)]


def table_of(data: bytes) -> PacketTable:
    table = PacketTable()
    with av.open(io.BytesIO(data)) as container:
        for packet in filter(is_stored, container.demux(video=0)):
            table.add(packet.pts, is_key=packet.is_keyframe)
    return table


def all_frames(data: bytes) -> NDArray[np.uint8]:
    """Return what is decoded when nothing is left out."""
    return frame_reader._read_all(video_medium(data), range(COUNT))


@pytest.fixture(scope="module", params=VIDEOS)
def video(request: pytest.FixtureRequest) -> bytes:
    codec, options = VIDEOS[request.param]
    return encode_video(moving_noise(), codec, options=options)


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_the_pixels_are_those_of_the_whole(video: bytes, wanted: list[int]) -> None:
    frames = read_frames(video_medium(video), wanted, table_of(video))

    assert np.array_equal(frames, all_frames(video)[wanted])


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The times of all frames that are decoded."""
    times: list[int] = []
    see = frame_reader._Pictures.see

    def note(pictures: frame_reader._Pictures, frame: av.VideoFrame) -> None:
        times.append(frame.pts or 0)
        see(pictures, frame)

    monkeypatch.setattr(frame_reader._Pictures, "see", note)
    return times


@pytest.mark.parametrize("name", ["h264", "h265", "vp8", "vp9", "av1"])
def test_most_of_a_long_video_is_not_decoded(decoded: list[int], name: str) -> None:
    codec, options = VIDEOS[name]
    data = encode_video(moving_noise(), codec, options=options)
    read_frames(video_medium(data), [1, 37], table_of(data))

    assert 2 <= len(decoded) <= 24


def test_frames_that_nobody_needs_are_left_out_of_a_group(decoded: list[int]) -> None:
    codec, options = VIDEOS["h264"]
    data = encode_video(moving_noise(), codec, options=options | {"g": "48"})
    read_frames(video_medium(data), [47], table_of(data))

    assert len(decoded) < COUNT - 10


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_file_that_calls_every_frame_a_key_frame_is_read_all_the_same(codec: str) -> None:
    """MP4 means that where the table of key frames is missing (ISO 14496-12, 8.6.2)."""
    options = {"x265-params": "keyint=48:log-level=none"} if codec == "libx265" else {"g": "48"}
    data = encode_video(moving_noise(), codec, options=options).replace(b"stss", b"free")
    frames = read_frames(video_medium(data), [20, 40], table_of(data))

    assert np.array_equal(frames, all_frames(data)[[20, 40]])


def test_frames_of_the_same_moment_are_counted() -> None:
    """Times cannot tell them apart."""
    codec, options = VIDEOS["h264"]
    data = encode_video(moving_noise(), codec, options=options)
    table = table_of(data)
    table.times[3] = table.times[2]

    assert np.array_equal(read_frames(video_medium(data), [30], table), all_frames(data)[[30]])
