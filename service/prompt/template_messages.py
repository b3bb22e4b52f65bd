"""A conversation in the form that a chat template takes: typed parts, or one string a message.

In a string, what stands for a message's media is in front of its texts, each on a line of its
own, kinds together; so vLLM has it (unless told to interleave them). A template for strings often
has no other way to say where a picture is.

Tested by tests/unit/prompt/test_template_messages.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from service.domain.conversation import Conversation, MediaPart, Message, Modality, TextPart
from service.errors import TemplateRefusedError
from service.prompt.formats.family import Family

_WORDS = re.compile(r"[A-Za-z0-9_ .,:/+-]*")

Messages = list[dict[str, Any]]


def to_part_messages(conversation: Conversation, edit: Callable[[str], str]) -> Messages:
    """Return messages of typed parts in their order; `edit` goes over each text."""
    return [
        {
            "role": str(message.role),
            "content": [
                {"type": "text", "text": edit(part.text)}
                if isinstance(part, TextPart)
                else {"type": str(part.modality)}
                for part in message.parts
            ],
        }
        for message in conversation.messages
    ]


def to_string_messages(
    conversation: Conversation, family: Family | None, edit: Callable[[str], str], *, trusted: bool
) -> Messages:
    """Return messages of one string each; raises TemplateRefusedError for media without a place.

    Of `trusted` texts each placeholder is taken for one of the message's media.
    """
    numbers: Counter[Modality] = Counter()
    messages = []
    for message in conversation.messages:
        places = _places(message, family, numbers)
        texts = [part.text for part in message.parts if isinstance(part, TextPart) and part.text]
        if trusted:
            places = _missing(places, "\n".join(texts))
        messages.append(
            {"role": str(message.role), "content": "\n".join([*places, *map(edit, texts)])}
        )
    return messages


def edit_texts(value: Any, edit: Callable[[str], str]) -> Any:  # noqa: ANN401 - as JSON has it
    """Return a caller's value with `edit` gone over its texts, but for words such as `high`.

    A template compares those with words of its own, and they spell no control token.
    """
    if isinstance(value, str):
        return value if _WORDS.fullmatch(value) else edit(value)
    if isinstance(value, Mapping):
        return {key: edit_texts(one, edit) for key, one in value.items()}
    if isinstance(value, list):
        return [edit_texts(one, edit) for one in value]
    return value


def _places(message: Message, family: Family | None, numbers: Counter[Modality]) -> list[str]:
    """Return what stands for each medium, kinds together, in the order of their first."""
    kinds: dict[Modality, list[str]] = {}
    for part in message.parts:
        if not isinstance(part, TextPart):
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
