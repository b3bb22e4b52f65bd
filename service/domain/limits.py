"""How large media may be."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Upper bounds; each can be reached, not passed. The names are the contract's `MediaLimits`."""

    part_bytes: int = 256 << 20
    image_pixels: int = 64_000_000
    image_side: int = 32_768
    audio_seconds: float = 3600.0
    audio_channels: int = 16
    audio_rate_hz: int = 192_000
    video_frame_pixels: int = 3840 * 2160
    video_side: int = 8192
    video_seconds: float = 3600.0
    video_frames: int = 768
    # Of the frames that are kept, decoded: 16 full-HD frames are 100 MB.
    video_bytes: int = 1 << 30
    request_bytes: int = 512 << 20
    request_image_pixels: int = 256_000_000
    request_audio_seconds: float = 7200.0
    request_video_frames: int = 1536

    def lowered_by(self, requested: dict[str, float]) -> MediaLimits:
        """Return the smaller of both bounds for each name; `requested` has only what is set."""
        return MediaLimits(
            **{
                field.name: min(getattr(self, field.name), requested.get(field.name, float("inf")))
                for field in fields(self)
            }
        )


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How many sessions there may be, how long one may last, and how much may be said in it.

    `idle_s` is without a message and without a running answer. `text_bytes` are what the client
    sends in all its turns beside media; `parts` are all of the conversation.
    """

    count: int = 1024
    idle_s: float = 300.0
    total_s: float = 3600.0
    text_bytes: int = 64 << 20
    parts: int = 50_000
