"""A rendered prompt, with the memory of who wrote what."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.conversation import Modality


@dataclass(frozen=True, slots=True)
class ByteSpan:
    """Bytes [start, end) of a text in UTF-8."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt's text; inside `literal_spans` (what a user wrote) no control token is obeyed."""

    text: str
    literal_spans: tuple[ByteSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Characters [start, end) of a text that stand for a medium of that kind."""

    modality: Modality
    start: int
    end: int
