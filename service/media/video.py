"""Moving pictures, by PyAV (FFmpeg): a few frames, evenly chosen from the clip, and its sound.

The first pass reads packets only, and finds how many frames lie in the cut, whatever the header
claims; the second decodes, and keeps the chosen ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import av.container
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from service.domain.conversation import Modality, VideoPart
from service.domain.media import MediaDescription
from service.media.audio import check_header, read_mono
from service.media.container import open_container, video_stream
from service.media.frame_choice import FrameChoice, choose_frames
from service.media.open_medium import OpenMedium
from service.media.sound_track import open_sound_track
from service.media.upright_frame import upright_rgb

# An hour at 240 frames a second is half of it.
_MOST_FRAMES = 2_000_000


@dataclass(frozen=True, slots=True)
class Clip:
    """The chosen frames [t, height, width, 3], what the clip was, and its mono sound if wanted."""

    frames: NDArray[np.uint8] = field(repr=False)
    fps: float
    duration_s: float
    total_frames: int
    indices: tuple[int, ...]
    sound: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Frames:
    """What the packets tell: the stored size, and when each frame is shown, the first at 0."""

    width: int
    height: int
    times_s: list[float] = field(repr=False)


def describe_video(medium: OpenMedium[VideoPart]) -> MediaDescription:
    """Return what the packets tell; all limits but those of the frames' real size are checked."""
    stored = _walk(medium)
    choice = choose_frames(medium, stored.times_s)
    _check_size(medium, (stored.width, stored.height), len(choice.indices))
    channels, sample_rate_hz = 0, 0
    if medium.part.use_sound:
        with open_sound_track(medium) as sound:
            check_header(medium, sound)
            channels, sample_rate_hz = sound.channels, sound.rate_hz
    count = len(stored.times_s)
    return MediaDescription(
        Modality.VIDEO,
        medium.file_format.mime_type(Modality.VIDEO),
        medium.size_bytes,
        width=stored.width,
        height=stored.height,
        duration_s=stored.times_s[-1] * count / (count - 1) if count > 1 else choice.duration_s,
        used_s=choice.duration_s,
        frames=count,
        sampled_frames=len(choice.indices),
        channels=channels,
        sample_rate_hz=sample_rate_hz,
    )


def decode_video(medium: OpenMedium[VideoPart], sound_rate_hz: int) -> Clip:
    """Decode the frames that the part asks for, and the sound if it wants it."""
    choice = choose_frames(medium, _walk(medium).times_s)
    # The sound comes first: it is cheaper to find missing.
    sound = _read_sound(medium, sound_rate_hz) if medium.part.use_sound else None
    return Clip(
        _read(medium, choice),
        choice.total / choice.duration_s,
        choice.duration_s,
        choice.total,
        choice.indices,
        sound,
    )


def _read_sound(medium: OpenMedium[VideoPart], rate_hz: int) -> NDArray[np.float32]:
    with open_sound_track(medium) as sound:
        return read_mono(medium, sound, rate_hz)


def _walk(medium: OpenMedium[VideoPart]) -> _Frames:
    """Read the packets alone."""
    times_s: list[float] = []
    with open_container(medium) as container:
        stream = video_stream(medium, container)
        _check_size(medium, (stream.width, stream.height), 1)
        for packet in container.demux(stream):
            if packet.pts is None or stream.time_base is None or not _is_shown(packet):
                continue
            times_s.append(float(packet.pts * stream.time_base))
            if len(times_s) > _MOST_FRAMES:
                raise medium.undecodable(f"the video has more than {_MOST_FRAMES} frames")
        size = stream.width, stream.height
    if not times_s:
        raise medium.undecodable("the video stream holds no frames")
    times_s.sort()
    return _Frames(*size, [time_s - times_s[0] for time_s in times_s])


def _is_shown(packet: Packet[VideoStream]) -> bool:
    """Tell whether decoding a packet gives a frame, as far as packets tell."""
    if not packet.size or packet.is_discard:  # the latter lies outside of MP4's edit list
        return False
    # VP8 keeps what only other frames refer to in packets of their own (RFC 6386, 9.1).
    return packet.stream.codec_context.name != "vp8" or bool(bytes(packet)[0] & 0x10)


def _read(medium: OpenMedium[VideoPart], choice: FrameChoice) -> NDArray[np.uint8]:
    """Decode up to the last wanted frame; a clip that breaks off earlier is an error."""
    wanted = choice.wanted
    needed = {index: place for place, index in enumerate(wanted)}
    frames, filled = np.empty((0, 0, 0, 3), np.uint8), 0
    scaler = VideoReformatter()
    with open_container(medium) as container:
        stream = video_stream(medium, container)
        size = stream.width, stream.height
        _check_size(medium, size, len(wanted))
        for index, frame in enumerate(islice(_decode(container, stream), wanted[-1] + 1)):
            if index == 0:
                # What the header says need not be what the frames are.
                size = frame.width, frame.height
                _check_size(medium, size, len(wanted))
            if (frame.width, frame.height) != size:
                raise medium.undecodable("the picture's size changes within the video")
            if index in needed:
                picture = upright_rgb(frame, scaler)
                if not filled:
                    frames = np.empty((len(wanted), *picture.shape), np.uint8)
                if picture.shape != frames.shape[1:]:
                    raise medium.undecodable("the picture is turned within the video")
                frames[needed[index]] = picture
                filled += 1
    if filled < len(wanted):
        raise medium.undecodable("the video breaks off; the file is incomplete")
    return frames


def _check_size(medium: OpenMedium[VideoPart], size: tuple[int, int], count: int) -> None:
    pixels = size[0] * size[1]
    medium.check("video_side", max(size))
    medium.check("video_frame_pixels", pixels)
    medium.check("video_bytes", pixels * 3 * count)


def _decode(container: av.container.InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    yield from container.decode(stream)
