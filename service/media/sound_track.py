"""Sounds by PyAV (FFmpeg): MP3, and the sound of MP4 and WebM.

The length is counted in packets: an MP3 of variable bit rate need not say how long it is, and what
any of these says need not be true.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import av.container
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from service.domain.conversation import AudioPart, VideoPart
from service.errors import InvalidRequestError
from service.media.container import has_pictures, open_container, sound_stream
from service.media.file_format import FileFormat
from service.media.open_medium import OpenMedium
from service.media.sound import Sound

# What decoders need to have heard before: MP3's bit reservoir, AAC's overlap, Opus's 80 ms.
_PREROLL_S = 1.0
_BLOCK_FRAMES = 1 << 15
# PyAV 18.1 counts a frame's planes up to the first null pointer, but FFmpeg ends neither the eight
# that lie in the frame nor a longer list with one: the ninth of eight is no memory, and reading it
# (`to_ndarray`) ends the process. To be removed when `AudioFrame.planes` counts channels.
_MOST_PLANES = 8


# FFmpeg's names of what its decoders give.
_NUMPY_TYPES = {"u8": "u1", "s16": "<i2", "s32": "<i4", "s64": "<i8", "flt": "<f4", "dbl": "<f8"}


@contextmanager
def open_sound_track(medium: OpenMedium[AudioPart] | OpenMedium[VideoPart]) -> Iterator[Sound]:
    """Open the first sound of a container; of a video part's, it may be missing."""
    with open_container(medium) as container:
        stream = sound_stream(medium, container)
        if stream is None:
            raise _without_sound(medium)
        if isinstance(medium.part, AudioPart) and has_pictures(container):
            raise medium.undecodable(
                f"the {medium.file_format.label} file holds a video; send it as a video"
            )
        seconds = _seconds(container, stream)
    with open_container(medium) as container:
        stream = sound_stream(medium, container)
        if stream is None:
            raise _without_sound(medium)
        yield _SoundTrack(medium, container, stream, seconds)


def _without_sound(
    medium: OpenMedium[AudioPart] | OpenMedium[VideoPart],
) -> InvalidRequestError:
    if isinstance(medium.part, AudioPart):
        return medium.undecodable("the file holds no sound")
    return InvalidRequestError(f"{medium.part.field}.use_sound", "the video has no sound track")


def _seconds(container: av.container.InputContainer, stream: AudioStream) -> float:
    """Return the sum of the packets' lengths, without what an encoder put before and behind."""
    if not stream.time_base or not stream.rate:
        return 0.0
    ticks, padding = 0, 0
    for packet in container.demux(stream):
        if packet.size:
            ticks += packet.duration or 0
            for side_data in packet.iter_sidedata():
                if side_data.data_type == "skip_samples":
                    # FFmpeg's AV_PKT_DATA_SKIP_SAMPLES: how many at the start, and at the end.
                    padding += sum(struct.unpack("<II", bytes(side_data)[:8]))
    return max(0.0, float(ticks * stream.time_base) - padding / stream.rate)


class _SoundTrack:
    def __init__(
        self,
        medium: OpenMedium[AudioPart] | OpenMedium[VideoPart],
        container: av.container.InputContainer,
        stream: AudioStream,
        seconds: float,
    ) -> None:
        self._medium = medium
        self._container = container
        self._stream = stream
        self.rate_hz = stream.rate or 0
        self.channels = stream.channels or 0
        self.seconds = seconds or None

    def blocks(self, first: int, last: int | None) -> Iterator[NDArray[np.float32]]:
        # A frame has some thousand samples, for which each step of the way would cost too much.
        gathered, count = list[NDArray[np.float32]](), 0
        for piece in self._pieces(first, last):
            if gathered and piece.shape[1] != gathered[0].shape[1]:
                # A broadcast may change from mono to stereo.
                yield np.concatenate(gathered)
                gathered, count = [], 0
            gathered.append(piece)
            count += len(piece)
            if count >= _BLOCK_FRAMES:
                yield np.concatenate(gathered)
                gathered, count = [], 0
        if gathered:
            yield np.concatenate(gathered)

    def _pieces(self, first: int, last: int | None) -> Iterator[NDArray[np.float32]]:
        """Yield each frame's part of the cut."""
        at = None
        for frame in self._frames(first / self.rate_hz - _PREROLL_S):
            if frame.sample_rate != self.rate_hz:
                raise self._medium.undecodable("the sound's sample rate changes within the file")
            self._check_channels(frame)
            if at is None:
                # Only what has passed over a beginning needs to ask where it is.
                at = 0 if first <= _PREROLL_S * self.rate_hz else self._position(frame)
            block = _to_floats(frame)
            start, at = at, at + len(block)
            kept = block[max(0, first - start) : None if last is None else max(0, last - start)]
            if len(kept):
                yield kept
            if last is not None and at >= last:
                return

    def _check_channels(self, frame: AudioFrame) -> None:
        """Check those that a frame has, which need not be those of the header."""
        channels = frame.layout.nb_channels
        self._medium.check("audio_channels", channels)
        if channels > _MOST_PLANES and frame.format.is_planar:
            raise self._medium.undecodable(
                f"the sound has {channels} channels; of this kind of file, {_MOST_PLANES} are read"
            )

    def _frames(self, from_s: float) -> Iterator[AudioFrame]:
        """Decode the packets from a moment on; those before are only passed over."""
        for packet in self._container.demux(self._stream):
            if from_s > 0 and self._is_before(packet, from_s):
                continue
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                # Players pass over what is no sound in an MP3: tags at its end, a cut first frame.
                if self._medium.file_format is not FileFormat.MP3:
                    raise
                continue
            yield from frames

    def _is_before(self, packet: Packet[AudioStream], moment_s: float) -> bool:
        if not packet.size or packet.pts is None or packet.time_base is None:
            return False
        start = self._stream.start_time or 0
        return float((packet.pts - start) * packet.time_base) < moment_s

    def _position(self, frame: AudioFrame) -> int:
        if frame.pts is None or frame.time_base is None:
            raise self._medium.undecodable("the sound's packets tell no time")
        start = (self._stream.start_time or 0) * (self._stream.time_base or 0)
        return round((frame.pts * frame.time_base - start) * self.rate_hz)


def _to_floats(frame: AudioFrame) -> NDArray[np.float32]:
    """Return samples [n, channels], full scale 1."""
    samples = _samples(frame)
    match samples.dtype.kind:
        case "u":
            return ((samples.astype(np.float32) - 128) / 128).astype(np.float32)
        case "i":
            return samples.astype(np.float32) / np.float32(1 << samples.dtype.itemsize * 8 - 1)
    return samples.astype(np.float32, copy=False)


def _samples(frame: AudioFrame) -> NDArray[Any]:
    """Return samples [n, channels] as they are in the frame."""
    count, channels = frame.samples, frame.layout.nb_channels
    values_type = np.dtype(_NUMPY_TYPES[frame.format.packed.name])
    planes = cast("Sequence[memoryview]", frame.planes)
    if not frame.format.is_planar:
        return np.frombuffer(planes[0], values_type, count * channels).reshape(-1, channels)
    samples = np.empty((count, channels), values_type)
    for channel in range(channels):
        samples[:, channel] = np.frombuffer(planes[channel], values_type, count)
    return samples
