"""The limits of a video's frames."""

from __future__ import annotations

from service.domain.conversation import VideoPart
from service.media.open_medium import OpenMedium


def check_video_size(medium: OpenMedium[VideoPart], size: tuple[int, int], count: int) -> None:
    """Check `count` frames of a width and height; raises LimitExceededError."""
    pixels = size[0] * size[1]
    medium.check("video_side", max(size))
    medium.check("video_frame_pixels", pixels)
    medium.check("video_bytes", pixels * 3 * count)
