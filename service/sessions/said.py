"""What a model has said, put together from the events of its answer."""

from __future__ import annotations

from service.domain.conversation import Message, Role, TextPart
from service.domain.events import Event, TextDelta


class Said:
    """Collects the first output of an answer."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def add(self, event: Event) -> None:
        """Take what an event says."""
        if isinstance(event, TextDelta) and event.output_index == 0:
            self._texts.append(event.text)

    def message(self) -> Message:
        """Return it as a message of the assistant; the text may be empty, and has its place."""
        return Message(Role.ASSISTANT, (TextPart("".join(self._texts)),))
