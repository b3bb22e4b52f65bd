"""A conversation in the form that a chat template takes: typed parts, or one string a message.

In a string, what stands for a message's media is in front of its texts, each on a line of its
own, kinds together; so vLLM has it (unless told to interleave them). A template for strings often
has no other way to say where a picture is.

Tested by tests/unit/prompt/test_template_messages.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from service.domain.conversation import (
    Conversation,
    MediaPart,
    Message,
    Modality,
    Role,
    TextPart,
    ToolResultPart,
)
from service.errors import TemplateRefusedError
from service.prompt.formats.family import Family
from service.prompt.template_tools import to_call_fields, to_result_message

Messages = list[dict[str, Any]]


def to_part_messages(conversation: Conversation, edit: Callable[[str], str]) -> Messages:
    """Return messages of typed parts in their order; `edit` goes over each text."""
    messages: Messages = []
    for message in conversation.messages:
        if message.role is Role.TOOL:
            messages += _results(message, edit)
            continue
        content = [
            {"type": "text", "text": edit(part.text)}
            if isinstance(part, TextPart)
            else {"type": str(part.modality)}
            for part in message.parts
            if isinstance(part, TextPart | MediaPart)
        ]
        messages.append(
            {"role": str(message.role), "content": content, **to_call_fields(message, edit)}
        )
    return messages


def to_string_messages(
    conversation: Conversation, family: Family | None, edit: Callable[[str], str], *, trusted: bool
) -> Messages:
    """Return messages of one string each; raises TemplateRefusedError for media without a place.

    Of `trusted` texts each placeholder is taken for one of the message's media.
    """
    numbers: Counter[Modality] = Counter()
    messages: Messages = []
    for message in conversation.messages:
        if message.role is Role.TOOL:
            messages += _results(message, edit)
            continue
        places = _places(message, family, numbers)
        texts = [part.text for part in message.parts if isinstance(part, TextPart) and part.text]
        if trusted:
            places = _missing(places, "\n".join(texts))
        content = "\n".join([*places, *map(edit, texts)])
        messages.append(
            {"role": str(message.role), "content": content, **to_call_fields(message, edit)}
        )
    return messages


def _results(message: Message, edit: Callable[[str], str]) -> Messages:
    """Return a message for each result, as OpenAI's clients send them."""
    return [
        to_result_message(part, edit) for part in message.parts if isinstance(part, ToolResultPart)
    ]


def _places(message: Message, family: Family | None, numbers: Counter[Modality]) -> list[str]:
    """Return what stands for each medium, kinds together, in the order of their first."""
    kinds: dict[Modality, list[str]] = {}
    for part in message.media_parts():
        numbers[part.modality] += 1
        place = _place(part, family, numbers[part.modality])
        kinds.setdefault(part.modality, []).extend([place] if place else [])
    return [place for places in kinds.values() for place in places]


def _place(part: MediaPart, family: Family | None, number: int) -> str | None:
    if family is not None and part.modality in family.unwritten:
        return None
    place = family.string_for(part.modality, number) if family else None
    if place is None:
        raise TemplateRefusedError(
            part.field,
            "the model's chat template takes plain text only, and what stands for "
            f"{part.modality} in it is not known",
        )
    return place


def _missing(places: list[str], text: str) -> list[str]:
    """Leave out the places that a text has already, as vLLM counts them."""
    missing = []
    for place, count in Counter(places).items():
        found = text.count(place)
        if found > count:
            raise TemplateRefusedError(
                "conversation", f"a message has {found} times {place!r}, but {count} such media"
            )
        missing += [place] * (count - found)
    return missing
