"""The limits of one request, checked on what the headers of its media tell."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.conversation import InlineData, MediaPart, Modality
from service.domain.limits import MediaLimits
from service.domain.media import MediaDescription
from service.media.limits import check_limit


def check_inline_sizes(parts: Sequence[MediaPart], limits: MediaLimits) -> None:
    """Check what came with the request itself, before anything else is fetched."""
    total = 0
    for part in parts:
        if isinstance(part.source.origin, InlineData):
            size_bytes = len(part.source.origin.data)
            check_limit(part.field, "part_bytes", limits.part_bytes, size_bytes)
            total += size_bytes
            check_limit(part.field, "request_bytes", limits.request_bytes, total)


def check_description(field: str, found: MediaDescription, limits: MediaLimits) -> None:
    """Check one medium that was prepared before, maybe under other limits."""
    pixels, side = found.width * found.height, max(found.width, found.height)
    checks: dict[Modality, dict[str, float]] = {
        Modality.IMAGE: {"image_pixels": pixels, "image_side": side},
        Modality.AUDIO: {
            "audio_seconds": found.used_s,
            "audio_channels": found.channels,
            "audio_rate_hz": found.sample_rate_hz,
        },
        Modality.VIDEO: {
            "video_frame_pixels": pixels,
            "video_side": side,
            "video_seconds": found.used_s,
            "video_frames": found.sampled_frames,
            "video_bytes": pixels * 3 * found.sampled_frames,
        },
    }
    for name, actual in checks[found.modality].items():
        check_limit(field, name, getattr(limits, name), actual)


def may_one_pass_totals(limits: MediaLimits) -> bool:
    """Tell whether a medium within its own limits can be above those of its request."""
    return (
        limits.request_image_pixels < limits.image_pixels
        or limits.request_audio_seconds < limits.audio_seconds
        or limits.request_video_frames < limits.video_frames
    )


def check_totals(
    parts: Sequence[MediaPart], descriptions: Sequence[MediaDescription], limits: MediaLimits
) -> None:
    """Check the sums over all media of a request; the part that passes a bound is named."""
    totals: dict[str, float] = {}
    for part, found in zip(parts, descriptions, strict=True):
        amounts: dict[str, float] = {
            "request_image_pixels": (
                found.width * found.height if found.modality is Modality.IMAGE else 0
            ),
            "request_audio_seconds": found.used_s if found.modality is Modality.AUDIO else 0,
            "request_video_frames": found.sampled_frames,
        }
        for name, amount in amounts.items():
            totals[name] = totals.get(name, 0) + amount
            check_limit(part.field, name, getattr(limits, name), totals[name])
