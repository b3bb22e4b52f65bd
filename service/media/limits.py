"""How large media may be. Checked on headers, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from service.errors import LimitExceededError


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Upper bounds for one part; each can be reached, not passed."""

    image_pixels: int = 64_000_000
    audio_seconds: float = 3600.0
    audio_channels: int = 16
    audio_rate_hz: int = 192_000
    video_frame_pixels: int = 3840 * 2160
    video_seconds: float = 3600.0
    video_frames: int = 768
    # Of the frames that are kept: 16 full-HD frames are 100 MB.
    video_bytes: int = 1 << 30


def check_limit(field: str, name: str, limit: float, actual: float) -> None:
    """Raise LimitExceededError when `actual` is above `limit`."""
    if actual > limit:
        raise LimitExceededError(field, name, limit, actual)
