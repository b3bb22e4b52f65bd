"""Decoded media, ready for a model's own preprocessing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.domain.conversation import Modality


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """RGB pixels, shape [height, width, 3], uint8.

    `sha256`, here and below, is that of the encoded bytes and of how the part wants them decoded:
    what is decoded twice is the same.
    """

    field: str
    sha256: str
    pixels: NDArray[np.uint8] = dataclasses.field(repr=False)
    modality = Modality.IMAGE


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """Mono samples in [-1, 1], shape [n], float32, at `sample_rate_hz`."""

    field: str
    sha256: str
    samples: NDArray[np.float32] = dataclasses.field(repr=False)
    sample_rate_hz: int
    modality = Modality.AUDIO


@dataclass(frozen=True, slots=True)
class DecodedVideo:
    """RGB frames, shape [t, height, width, 3], uint8, chosen from a clip.

    `fps` is the clip's own frame rate, `total_frames` its frames, and `frame_indices` says
    which of them were chosen.
    """

    field: str
    sha256: str
    frames: NDArray[np.uint8] = dataclasses.field(repr=False)
    fps: float
    duration_s: float
    total_frames: int
    frame_indices: tuple[int, ...]
    modality = Modality.VIDEO


DecodedMedia = DecodedImage | DecodedAudio | DecodedVideo


@dataclass(frozen=True, slots=True)
class PlaceholderSpan:
    """Where a medium lies in the prompt's token ids."""

    field: str
    modality: Modality
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """A prompt that the engine has preprocessed; `engine_input` is the engine's own object."""

    token_count: int
    placeholders: tuple[PlaceholderSpan, ...]
    engine_input: Any = dataclasses.field(repr=False)
