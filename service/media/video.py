"""Moving pictures, by PyAV (FFmpeg): a few frames, evenly chosen from the clip, and its sound.

The first pass reads packets only, and finds how many frames lie in the cut, whatever the header
claims; the second decodes, and keeps the chosen ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from service.domain.conversation import Modality, VideoPart
from service.domain.media import MediaDescription
from service.media.audio import check_header, read_mono
from service.media.container import open_container, video_stream
from service.media.frame_choice import choose_frames
from service.media.frame_plan import PacketTable
from service.media.frame_reader import is_stored, read_frames
from service.media.open_medium import OpenMedium
from service.media.sound_track import open_sound_track
from service.media.video_size import check_video_size

# An hour at 240 frames a second is half of it.
_MOST_PACKETS = 2_000_000


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
    table: PacketTable = field(repr=False)


def describe_video(medium: OpenMedium[VideoPart]) -> MediaDescription:
    """Return what the packets tell; all limits but those of the frames' real size are checked."""
    stored = _walk(medium)
    choice = choose_frames(medium, stored.times_s)
    check_video_size(medium, (stored.width, stored.height), len(choice.indices))
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
    stored = _walk(medium)
    choice = choose_frames(medium, stored.times_s)
    # The sound comes first: it is cheaper to find missing.
    sound = _read_sound(medium, sound_rate_hz) if medium.part.use_sound else None
    return Clip(
        read_frames(medium, choice.wanted, stored.table),
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
    table = PacketTable()
    with open_container(medium) as container:
        stream = video_stream(medium, container)
        check_video_size(medium, (stream.width, stream.height), 1)
        for packet in filter(is_stored, container.demux(stream)):
            table.add(packet.pts if _is_shown(packet) else None, is_key=packet.is_keyframe)
            if len(table.times) > _MOST_PACKETS:
                raise medium.undecodable(f"the video has more than {_MOST_PACKETS} frames")
        size = stream.width, stream.height
        tick_s = stream.time_base
    shown = table.shown()
    if not shown or tick_s is None:
        raise medium.undecodable("the video stream holds no frames")
    return _Frames(*size, [float((time - shown[0]) * tick_s) for time in shown], table)


def _is_shown(packet: Packet[VideoStream]) -> bool:
    """Tell whether decoding a packet gives a frame, as far as packets tell."""
    if packet.is_discard:  # it lies outside of MP4's edit list
        return False
    # VP8 keeps what only other frames refer to in packets of their own (RFC 6386, 9.1).
    return packet.stream.codec_context.name != "vp8" or bool(bytes(packet)[0] & 0x10)
