"""What a model has said, put together from the events of its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from service.domain.conversation import (
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
)
from service.domain.events import Event, ReasoningDelta, TextDelta, ToolCallDelta


@dataclass(slots=True)
class _Call:
    """A call that the model makes, piece by piece."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class Said:
    """Collects the first output of an answer."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[int, _Call] = {}

    def add(self, event: Event) -> None:
        """Take what an event says."""
        match event:
            case TextDelta(output_index=0, text=text):
                self._texts.append(text)
            case ReasoningDelta(output_index=0, text=text):
                self._thoughts.append(text)
            case ToolCallDelta(output_index=0):
                call = self._calls.setdefault(event.call_index, _Call())
                call.id = call.id or event.id
                call.name = call.name or event.name
                call.arguments.append(event.arguments)

    def message(self) -> Message:
        """Return it as a message of the assistant; one that said nothing has an empty text."""
        parts: list[Part] = []
        if thoughts := "".join(self._thoughts):
            parts.append(ReasoningPart(thoughts))
        calls = [part for call in self._calls.values() if (part := _whole(call)) is not None]
        text = "".join(self._texts)
        if text or not calls:
            parts.append(TextPart(text))
        return Message(Role.ASSISTANT, (*parts, *calls))


def _whole(call: _Call) -> ToolCallPart | None:
    """Return a call; None for one that was cut off: no template could show it."""
    arguments = "".join(call.arguments) or "{}"
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return None
    return ToolCallPart(call.id, call.name, arguments) if is_object and call.name else None
