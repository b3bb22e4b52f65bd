"""Videos as phones, editors and recorders make them: turned, trimmed, irregular, broken off."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import MediaUndecodableError
from service.media.video import Clip, decode_video
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    encode_video,
    frame_numbers,
    grey_frames,
    video_medium,
)
from tests.unit.media.vp8_packets import encode_vp8, hidden, webm_of

# How the stored picture is turned for showing: (a, b, c, d) of the matrix, and the same in numpy.
MATRICES = {
    "as it is": ((1, 0, 0, 1), lambda stored: stored),
    "clockwise": ((0, 1, -1, 0), lambda stored: np.rot90(stored, -1)),
    "upside down": ((-1, 0, 0, -1), lambda stored: np.rot90(stored, 2)),
    "counterclockwise": ((0, -1, 1, 0), np.rot90),
    "mirrored": ((-1, 0, 0, 1), lambda stored: stored[:, ::-1]),
    "flipped": ((1, 0, 0, -1), lambda stored: stored[::-1]),
    "transposed": ((0, 1, 1, 0), lambda stored: stored.swapaxes(0, 1)),
}


def clip_of(data: bytes, **sampling: float) -> Clip:
    return decode_video(video_medium(data, **sampling), AUDIO_RATE_HZ)


@pytest.mark.parametrize(("matrix", "turn"), MATRICES.values(), ids=MATRICES)
def test_pictures_are_turned_as_the_file_says(
    matrix: tuple[int, ...], turn: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    """Phones store what the sensor sees, and how they were held."""
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:24, :32] = 250
    stored[24:, :32] = 100
    data = bytearray(encode_video([stored] * 2))
    a, b, c, d = (value << 16 for value in matrix)
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    frame, shown = clip_of(bytes(data)).frames[0], turn(stored).astype(int)
    assert frame.shape == shown.shape
    assert np.abs(frame - shown).mean() < 10


@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_an_editor_trimmed_away_is_not_there(b_frames: int) -> None:
    """Trimming without encoding keeps earlier frames, which later ones need, and hides them."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"avoid_negative_ts": "disabled"}) as container:
        stream = container.add_stream("libx264", rate=10, options={"bf": str(b_frames)})
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        packets = []
        for frame in grey_frames(30):
            packets += stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
        for packet in packets + stream.encode():
            trimmed = int(Fraction(13, 10) / packet.time_base)
            packet.pts, packet.dts = packet.pts - trimmed, packet.dts - trimmed
            container.mux(packet)
    clip = clip_of(buffer.getvalue(), num_frames=17)
    assert (clip.total_frames, clip.duration_s) == (17, pytest.approx(1.7))
    assert frame_numbers(clip.frames) == list(range(13, 30))


def test_frames_that_only_others_refer_to_do_not_count() -> None:
    """VP8's alternate reference frames lie in packets of their own, and are never shown."""
    packets = encode_vp8(grey_frames(10))
    clip = clip_of(webm_of([*packets[:6], hidden(packets[5]), *packets[6:]], 64, 48), num_frames=10)
    assert clip.total_frames == 10
    assert frame_numbers(clip.frames) == list(range(10))


def test_irregular_frames_are_counted_by_number_and_cut_by_time() -> None:
    """Screen recordings hold a frame when something changes."""
    moments = [0, 1, 2, 10, 20, 40]
    data = webm_of(encode_vp8(grey_frames(6)), 64, 48, moments)
    clip = clip_of(data)
    assert (clip.total_frames, clip.indices) == (6, (0, 1, 2, 3, 4, 5))
    # The last frame stays as long as frames do on average: 0.8 seconds.
    assert clip.duration_s == pytest.approx(4.8)
    assert clip.fps == pytest.approx(6 / 4.8)
    cut = clip_of(data, start_s=0.15, end_s=3.0)
    assert (cut.total_frames, frame_numbers(cut.frames)) == (3, [2, 4])


def test_of_a_recording_that_breaks_off_the_whole_frames_are_taken() -> None:
    """A recorder's MP4 has no table of all frames; WebM has none either."""
    fragmented = encode_video(
        grey_frames(30),
        options={"g": "10", "sc_threshold": "0"},
        movflags="frag_keyframe+empty_moov",
    )
    assert clip_of(fragmented).total_frames == 30
    clip = clip_of(fragmented[: fragmented.rindex(b"moof") - 4], num_frames=20)
    assert frame_numbers(clip.frames) == list(range(20))
    webm = encode_video(grey_frames(30), "libvpx-vp9")
    clip = clip_of(webm[: len(webm) // 2], num_frames=99)
    assert frame_numbers(clip.frames) == list(range(clip.total_frames))
    assert 5 < clip.total_frames < 25


def test_a_frame_that_cannot_be_decoded_is_not_passed_over() -> None:
    """The frames after it would be counted wrongly."""
    packets = encode_vp8(grey_frames(6))
    with pytest.raises((MediaUndecodableError, av.FFmpegError)):
        clip_of(webm_of([packets[0], b"\x11", *packets[1:]], 64, 48))
