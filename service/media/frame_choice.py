"""Which frames of a video a model sees: those within the cut, evenly spread over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.domain.conversation import VideoPart
from service.errors import InvalidRequestError
from service.media.open_medium import OpenMedium

_DEFAULT_FPS = 2.0
_DEFAULT_MIN_FRAMES, _DEFAULT_MAX_FRAMES = 4, 32


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """The cut [first, last) of a file's frames, and which of it, counted from `first`."""

    first: int
    last: int
    duration_s: float
    indices: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many frames the cut has."""
        return self.last - self.first

    @property
    def wanted(self) -> list[int]:
        """The chosen frames, counted from the file's beginning."""
        return [self.first + index for index in self.indices]


def choose_frames(medium: OpenMedium[VideoPart], times_s: list[float]) -> FrameChoice:
    """Choose among frames that are shown at these times, in order; the first is at 0."""
    first, last = _cut(medium.part, times_s)
    duration_s = _duration(times_s, first, last)
    medium.check("video_seconds", duration_s)
    count = _count(medium.part, last - first, duration_s)
    medium.check("video_frames", count)
    indices = np.linspace(0, last - first - 1, count).round().astype(int).tolist()
    return FrameChoice(first, last, duration_s, tuple(indices))


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


def _count(part: VideoPart, total: int, duration_s: float) -> int:
    """Return how many frames are taken: as many as the part asks for.

    Else an even number if the cut has two, for Qwen's processors read frames in pairs
    (`temporal_patch_size`), as many as qwen_vl_utils.smart_nframes gives.
    """
    if part.num_frames is not None:
        count = part.num_frames
    elif part.fps is not None:
        count = max(1, round(min(duration_s * part.fps, total)))
    else:
        count = max(_DEFAULT_MIN_FRAMES, round(duration_s * _DEFAULT_FPS))
        count = min(count + count % 2, _DEFAULT_MAX_FRAMES, max(total - total % 2, 1))
    return min(count, total)
