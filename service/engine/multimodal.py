"""Decoded media to vLLM's multimodal input, and its placeholders back to parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from service.domain.conversation import Modality
from service.domain.media import (
    DecodedAudio,
    DecodedImage,
    DecodedMedia,
    DecodedVideo,
    PlaceholderSpan,
    PreparedMedia,
)
from service.engine.prepared_items import PreparedItem


def to_multi_modal_data(media: Sequence[DecodedMedia]) -> dict[str, list[Any]]:
    """Group media by modality, each in reading order, in the forms that vLLM takes."""
    grouped: dict[str, list[Any]] = defaultdict(list)
    for item in media:
        grouped[item.modality].append(_to_item(item))
    return dict(grouped)


def to_multi_modal_uuids(media: Sequence[PreparedMedia]) -> dict[str, list[str]]:
    """Name media by their content, a video's sound track included; in reading order."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for one in media:
        grouped[one.modality].append(one.sha256)
        if one.item.sound is not None:
            grouped[Modality.AUDIO].append(_sound_name(one))
    return dict(grouped)


def to_items(media: Sequence[PreparedMedia]) -> dict[str, PreparedItem]:
    """Return what these names stand for."""
    items: dict[str, PreparedItem] = {one.sha256: one.item for one in media}
    sounds = {_sound_name(one): one.item.sound for one in media if one.item.sound is not None}
    return items | sounds


def _sound_name(video: PreparedMedia) -> str:
    return f"{video.sha256}-sound"


def to_placeholder_spans(
    media: Sequence[PreparedMedia], placeholders: dict[str, Sequence[Any]]
) -> tuple[PlaceholderSpan, ...]:
    """Pair each medium with its place in the prompt's ids; the result is in reading order."""
    remaining = {modality: iter(ranges) for modality, ranges in placeholders.items()}
    return tuple(
        PlaceholderSpan(item.field, item.modality, found.offset, found.length)
        for item in media
        if (found := next(remaining.get(item.modality, iter(())), None)) is not None
    )


def to_image_tensor(image: DecodedImage) -> torch.Tensor:
    """Return the pixels, channels first, without a copy."""
    return torch.from_numpy(image.pixels).permute(2, 0, 1)


def _to_item(item: DecodedMedia) -> Any:
    match item:
        case DecodedImage():
            # As a PIL image, which every model's processor takes.
            return Image.fromarray(item.pixels)
        case DecodedAudio():
            return (item.samples, item.sample_rate_hz)
        case DecodedVideo():
            return (item.frames, _video_metadata(item))


def _video_metadata(video: DecodedVideo) -> dict[str, Any]:
    return {
        "fps": video.fps,
        "duration": video.duration_s,
        "total_num_frames": video.total_frames,
        "frames_indices": list(video.frame_indices),
        "video_backend": "pyav",
        "do_sample_frames": False,
    }


MEDIA_MODALITIES = (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)
