"""Decoded media, ready for a model's own preprocessing."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
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
    """Mono samples, shape [n], float32, full scale 1, at `sample_rate_hz`."""

    field: str
    sha256: str
    samples: NDArray[np.float32] = dataclasses.field(repr=False)
    sample_rate_hz: int
    modality = Modality.AUDIO


@dataclass(frozen=True, slots=True)
class DecodedVideo:
    """RGB frames, shape [t, height, width, 3], uint8, chosen from a clip.

    `fps` is the clip's own frame rate, `total_frames` its frames, and `frame_indices` says
    which of them were chosen. `sound`, mono samples [n] at `sound_rate_hz`, is that of the same
    clip, if the part wants it.
    """

    field: str
    sha256: str
    frames: NDArray[np.uint8] = dataclasses.field(repr=False)
    fps: float
    duration_s: float
    total_frames: int
    frame_indices: tuple[int, ...]
    sound: NDArray[np.float32] | None = dataclasses.field(default=None, repr=False)
    sound_rate_hz: int = 0
    modality = Modality.VIDEO


DecodedMedia = DecodedImage | DecodedAudio | DecodedVideo


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """What a file's header tells; a number that its kind does not have is 0.

    `sampled_frames` are the frames of a video that the model will see; `duration_s` is the whole
    file's, `used_s` that of the part's cut.
    """

    modality: Modality
    mime_type: str
    size_bytes: int
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    used_s: float = 0.0
    frames: int = 0
    sampled_frames: int = 0
    channels: int = 0
    sample_rate_hz: int = 0


@dataclass(frozen=True, slots=True)
class PreparedMedia:
    """A medium that the model's own processor has preprocessed.

    `sha256` names what `item`, the engine's own object, was made from. The times are None when
    another request had it prepared before.
    """

    field: str
    modality: Modality
    sha256: str
    item: Any = dataclasses.field(repr=False)
    fetch_s: float | None = None
    decode_s: float | None = None
    preprocess_s: float | None = None
    was_cached: bool = False


@dataclass(frozen=True, slots=True)
class PlaceholderSpan:
    """Where a medium lies in the prompt's token ids."""

    field: str
    modality: Modality
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """A prompt that the engine can answer once; `engine_input` is the engine's own object.

    `token_ids` have every placeholder at its full length. The first `encoder_tokens` of them are
    read by an encoder alone, as a sound is by Whisper's, and take no room in the context.

    `items` are those of its media, by the media's hashes; the engine empties it when it has them.
    """

    token_count: int
    placeholders: tuple[PlaceholderSpan, ...]
    engine_input: Any = dataclasses.field(repr=False)
    items: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    token_ids: Sequence[int] = dataclasses.field(default=(), repr=False)
    encoder_tokens: int = 0

    @property
    def context_tokens(self) -> int:
        """How much room it takes in the model's context."""
        return self.token_count - self.encoder_tokens

    @property
    def media_tokens(self) -> Counter[Modality]:
        """How many tokens each kind of media takes."""
        tokens: Counter[Modality] = Counter()
        for span in self.placeholders:
            tokens[span.modality] += span.length
        return tokens

    @property
    def context_ids(self) -> Sequence[int]:
        """What the answer goes on from."""
        return self.token_ids[self.encoder_tokens :]
