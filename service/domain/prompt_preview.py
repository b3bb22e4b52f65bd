"""A request's prompt, looked at without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.media import MediaDescription, PlaceholderSpan, PreparedPrompt
from service.domain.prompt import ByteSpan


@dataclass(frozen=True, slots=True)
class MeasuredPrompt:
    """A prompt of media that show nothing; `descriptions` tell them, where headers were enough."""

    prompt: PreparedPrompt
    descriptions: tuple[MediaDescription, ...]


@dataclass(frozen=True, slots=True)
class PromptLimit:
    """What the model takes at most, and what the prompt has; broken where it has more."""

    name: str
    limit: int
    actual: int


@dataclass(frozen=True, slots=True)
class PreviewedPlaceholder:
    """Where a medium lies in the ids, and in the text, where it has a known place there."""

    span: PlaceholderSpan
    text_span: ByteSpan | None


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """A prompt as `RenderPrompt` shows it; without placeholders when media were not looked at."""

    text: str
    token_ids: Sequence[int]
    placeholders: tuple[PreviewedPlaceholder, ...]
    literal_spans: tuple[ByteSpan, ...]
    limits: tuple[PromptLimit, ...]
