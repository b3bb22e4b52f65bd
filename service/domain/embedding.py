"""What embedding takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.domain.events import GenerationRequest, Usage
from service.domain.media import PlaceholderSpan


class EmbeddingOptions(NamedTuple):
    """How vectors are made. None: all dimensions, and the length that the model gives them."""

    dimensions: int | None = None
    normalize: bool | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """A validated request; each of `inputs` is a prompt to make one vector of."""

    model: str
    inputs: tuple[GenerationRequest, ...]
    options: EmbeddingOptions = field(default_factory=EmbeddingOptions)


class EngineVector(NamedTuple):
    """What the engine makes of a prompt."""

    values: Sequence[float]
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Embedding:
    """The vector of one input, and what its prompt took."""

    values: Sequence[float] = field(repr=False)
    prompt_tokens: int
    placeholders: tuple[PlaceholderSpan, ...]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of all inputs, in their order."""

    request_id: str
    model: str
    vectors: tuple[Embedding, ...]
    usage: Usage
