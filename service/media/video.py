"""Moving pictures, by PyAV (FFmpeg): a few frames, evenly chosen from the clip."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

import av
import av.container
import numpy as np
from av.packet import Packet
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from service.domain.conversation import VideoPart
from service.errors import InvalidRequestError, LimitExceededError, MediaUndecodableError
from service.media.limits import MediaLimits, check_limit

_DEFAULT_FPS = 2.0
_DEFAULT_MIN_FRAMES, _DEFAULT_MAX_FRAMES = 4, 32


@dataclass(frozen=True, slots=True)
class Clip:
    """The chosen frames [t, height, width, 3], and what the clip was."""

    frames: NDArray[np.uint8]
    fps: float
    duration_s: float
    total_frames: int
    indices: tuple[int, ...]


def decode_video(part: VideoPart, limits: MediaLimits, file_format: str) -> Clip:
    """Decode the frames that the part asks for.

    The first pass reads packets only and finds how many frames lie in the cut, whatever the
    header claims; the second decodes, and keeps the chosen ones.
    """
    times_s = _frame_times(part, limits, file_format)
    first, last = _cut(part, times_s)
    duration_s = _duration(times_s, first, last)
    check_limit(part.field, "video_seconds", limits.video_seconds, duration_s)
    indices = _choose(part, limits, last - first, duration_s)
    frames = _read(part, limits, file_format, [first + index for index in indices])
    fps = (last - first) / duration_s
    return Clip(frames, fps, duration_s, last - first, tuple(indices))


def _open(part: VideoPart, file_format: str) -> av.container.InputContainer:
    # Options keep FFmpeg from following references to other files.
    return av.open(
        io.BytesIO(part.source.data), "r", format=file_format, options={"enable_drefs": "0"}
    )


def _frame_times(part: VideoPart, limits: MediaLimits, file_format: str) -> list[float]:
    """Return the times of all frames in order of showing, from the packets alone."""
    with _open(part, file_format) as container:
        if not container.streams.video:
            raise MediaUndecodableError(part.field, "the file holds no video stream")
        stream = container.streams.video[0]
        pixels = stream.width * stream.height
        check_limit(part.field, "video_frame_pixels", limits.video_frame_pixels, pixels)
        times_s = sorted(
            float(packet.pts * stream.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and stream.time_base is not None and _is_shown(packet)
        )
    if not times_s:
        raise MediaUndecodableError(part.field, "the video stream holds no frames")
    return [time_s - times_s[0] for time_s in times_s]


def _is_shown(packet: Packet[VideoStream]) -> bool:
    """Tell whether decoding a packet gives a frame, as far as packets tell."""
    if not packet.size or packet.is_discard:  # the latter lies outside of MP4's edit list
        return False
    # VP8 keeps what only other frames refer to in packets of their own (RFC 6386, 9.1).
    return packet.stream.codec_context.name != "vp8" or bool(bytes(packet)[0] & 0x10)


def _cut(part: VideoPart, times_s: list[float]) -> tuple[int, int]:
    """Return the first frame of the cut, and the one after its last."""
    start_s, end_s = part.start_s or 0.0, part.end_s or float("inf")
    inside = [index for index, time_s in enumerate(times_s) if start_s <= time_s < end_s]
    if not inside:
        raise InvalidRequestError(
            f"{part.field}.start_s", f"no frame lies there; the last is at {times_s[-1]:g} seconds"
        )
    return inside[0], inside[-1] + 1


def _duration(times_s: list[float], first: int, last: int) -> float:
    """Return the cut's length; its last frame stays as long as frames do on average."""
    if len(times_s) == 1 or times_s[-1] <= 0:
        return 1.0 / _DEFAULT_FPS
    frame_s = times_s[-1] / (len(times_s) - 1)
    return times_s[last - 1] - times_s[first] + frame_s


def _choose(part: VideoPart, limits: MediaLimits, total: int, duration_s: float) -> list[int]:
    """Return the indices, within the cut, of evenly spread frames.

    As many as the part asks for; else an even number if the cut has two, for Qwen's processors
    read frames in pairs (`temporal_patch_size`), as many as qwen_vl_utils.smart_nframes gives.
    """
    if part.num_frames is not None:
        count = part.num_frames
    elif part.fps is not None:
        count = max(1, round(min(duration_s * part.fps, total)))
    else:
        count = max(_DEFAULT_MIN_FRAMES, round(duration_s * _DEFAULT_FPS))
        count = min(count + count % 2, _DEFAULT_MAX_FRAMES, max(total - total % 2, 1))
    count = min(count, total)
    if count > limits.video_frames:
        raise LimitExceededError(part.field, "video_frames", limits.video_frames, count)
    return [int(index) for index in np.linspace(0, total - 1, count).round()]


def _read(
    part: VideoPart, limits: MediaLimits, file_format: str, wanted: list[int]
) -> NDArray[np.uint8]:
    """Decode up to the last wanted frame; a clip that breaks off earlier is an error."""
    needed, frames = set(wanted), dict[int, NDArray[np.uint8]]()
    with _open(part, file_format) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # many clips at once share the processors better
        size = stream.width, stream.height
        _check_size(part, limits, size, len(wanted))
        for index, frame in enumerate(islice(_decode(container), wanted[-1] + 1)):
            if index == 0:
                # What the header says need not be what the frames are.
                size = frame.width, frame.height
                _check_size(part, limits, size, len(wanted))
            if (frame.width, frame.height) != size:
                raise MediaUndecodableError(
                    part.field, "the picture's size changes within the video"
                )
            if index in needed:
                frames[index] = _to_rgb(frame)
    if len(frames) < len(wanted):
        raise MediaUndecodableError(part.field, "the video breaks off; the file is incomplete")
    return np.stack([frames[index] for index in wanted])


def _check_size(part: VideoPart, limits: MediaLimits, size: tuple[int, int], count: int) -> None:
    pixels = size[0] * size[1]
    check_limit(part.field, "video_frame_pixels", limits.video_frame_pixels, pixels)
    check_limit(part.field, "video_bytes", limits.video_bytes, pixels * 3 * count)


def _decode(container: av.container.InputContainer) -> Iterator[VideoFrame]:
    yield from container.decode(video=0)


def _to_rgb(frame: VideoFrame) -> NDArray[np.uint8]:
    """Convert to RGB, and turn or mirror as the file says (ISO 14496-12, 8.3.2)."""
    pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    side_data = cast("SideDataContainer", frame.side_data)  # PyAV 18's stub says otherwise
    if "DISPLAYMATRIX" not in side_data:
        return pixels
    matrix = np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), np.int32)
    # A pixel at (x, y) is shown at (a * x + c * y, b * x + d * y).
    a, b, _, c, d = matrix[:5].tolist()
    x_sign, y_sign = a, d
    if abs(b) > abs(a):
        pixels = pixels.swapaxes(0, 1)
        x_sign, y_sign = c, b
    return pixels[:: -1 if y_sign < 0 else 1, :: -1 if x_sign < 0 else 1]
