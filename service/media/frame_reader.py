"""Decodes the chosen frames of a video, and of the others only what these need.

Of an hour of which a model sees 32 frames, most is never decoded. What a file says of its packets
need not be true, though: when a wanted frame does not come, or a key frame is none, everything is
decoded up to the last wanted frame, as if nothing had been said. Both ways give the same pixels;
tested by tests/unit/media/test_frame_reader.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import av.error
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from service.domain.conversation import VideoPart
from service.media.container import open_container, video_stream
from service.media.frame_plan import PacketTable, plan_packets
from service.media.open_medium import OpenMedium
from service.media.upright_frame import upright_rgb
from service.media.video_size import check_video_size

# Of these a key frame can be told from the frame itself, and depends on nothing before it.
_WITH_KEY_FRAMES = ("h264", "hevc", "vp8", "vp9", "av1", "libdav1d")


class _NotAsToldError(Exception):
    """The frames are not those that the packets told of."""


def read_frames(
    medium: OpenMedium[VideoPart], wanted: Sequence[int], table: PacketTable
) -> NDArray[np.uint8]:
    """Return frames [t, height, width, 3] by their numbers in the order of showing, ascending.

    A clip that breaks off earlier is an error, MediaUndecodableError.
    """
    shown = table.shown()
    if len(set(shown)) == len(shown):
        try:
            return _read_some(medium, [shown[number] for number in wanted], table)
        except (_NotAsToldError, av.error.FFmpegError):
            pass
    return _read_all(medium, wanted)


def is_stored(packet: Packet[VideoStream]) -> bool:
    """Tell whether a packet has a number in a PacketTable; PyAV makes an empty one at the end."""
    return bool(packet.size)


class _Pictures:
    """Collects the wanted frames of one video, which all have one size."""

    def __init__(self, medium: OpenMedium[VideoPart], count: int) -> None:
        self._medium = medium
        self._count = count
        self._scaler = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._pixels = np.empty((0, 0, 0, 3), np.uint8)
        self.filled = 0

    def see(self, frame: VideoFrame) -> None:
        """Check a frame's size, wanted or not."""
        size = frame.width, frame.height
        if self._size is None:
            # What the header says need not be what the frames are.
            check_video_size(self._medium, size, self._count)
            self._size = size
        if size != self._size:
            raise self._medium.undecodable("the picture's size changes within the video")

    def take(self, place: int, frame: VideoFrame) -> None:
        """Keep a frame that was seen."""
        picture = upright_rgb(frame, self._scaler)
        if not self.filled:
            self._pixels = np.empty((self._count, *picture.shape), np.uint8)
        if picture.shape != self._pixels.shape[1:]:
            raise self._medium.undecodable("the picture is turned within the video")
        self._pixels[place] = picture
        self.filled += 1

    def all(self) -> NDArray[np.uint8]:
        """Return them; all must have come."""
        if self.filled < self._count:
            raise self._medium.undecodable("the video breaks off; the file is incomplete")
        return self._pixels


def _read_all(medium: OpenMedium[VideoPart], wanted: Sequence[int]) -> NDArray[np.uint8]:
    """Decode up to the last wanted frame."""
    places = {number: place for place, number in enumerate(wanted)}
    pictures = _Pictures(medium, len(wanted))
    with open_container(medium) as container:
        stream = video_stream(medium, container)
        check_video_size(medium, (stream.width, stream.height), len(wanted))
        for number, frame in enumerate(islice(container.decode(stream), wanted[-1] + 1)):
            pictures.see(frame)
            if number in places:
                pictures.take(places[number], frame)
    return pictures.all()


def _read_some(
    medium: OpenMedium[VideoPart], wanted: Sequence[int], table: PacketTable
) -> NDArray[np.uint8]:
    """Decode what frames at these times need; raises _NotAsToldError."""
    places = {time: place for place, time in enumerate(wanted)}
    pictures = _Pictures(medium, len(wanted))
    with open_container(medium) as container:
        stream = video_stream(medium, container)
        if stream.codec_context.name not in _WITH_KEY_FRAMES:
            raise _NotAsToldError
        check_video_size(medium, (stream.width, stream.height), len(wanted))
        packets = filter(is_stored, container.demux(stream))
        at = 0
        for numbers in plan_packets(table, places.keys()):
            run = islice(packets, numbers.start - at, len(numbers) + numbers.start - at)
            at = numbers.stop
            for frame in _decode_run(stream, run, places, can_begin=numbers.start == 0):
                pictures.see(frame)
                if frame.pts in places:
                    pictures.take(places.pop(frame.pts), frame)
            if any(table.times[number] in places for number in numbers):
                raise _NotAsToldError
    return pictures.all()


def _decode_run(
    stream: VideoStream,
    packets: Iterator[Packet[VideoStream]],
    wanted: dict[int, int],
    *,
    can_begin: bool,
) -> Iterator[VideoFrame]:
    """Decode packets that follow on another, without frames that nobody wants or needs."""
    codec = stream.codec_context
    key: int | None = None
    for number, packet in enumerate(packets):
        if number == 0 and not can_begin:
            key = packet.pts
        is_needed = number == 0 or packet.pts in wanted
        codec.skip_frame = "DEFAULT" if is_needed else "NONREF"
        yield from _checked(packet.decode(), key)
    yield from _checked(codec.decode(None), key)
    codec.flush_buffers()


def _checked(frames: Sequence[VideoFrame], key: int | None) -> Iterator[VideoFrame]:
    """Give the frames; the one that is shown at `key` must be a key frame."""
    for frame in frames:
        if frame.is_corrupt or (key is not None and frame.pts == key and not frame.key_frame):
            raise _NotAsToldError
        yield frame
