"""What a parser makes of an answer's text, and what the engine must know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A piece of the call number `index`; the first one has its `id` and `name`."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ParsedPiece:
    """What a piece of an answer is: thoughts, text of the answer, and pieces of calls."""

    reasoning: str = ""
    text: str = ""
    calls: tuple[CallPiece, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningStart:
    """How an answer begins; a structured output holds from behind its thoughts on.

    `has_ended`: there are none, or they are in the prompt. None: the engine looks itself.
    `template_arguments` are those of the chat template: they may turn thoughts off.
    """

    has_ended: bool | None = None
    template_arguments: Mapping[str, Any] | None = field(default=None)
