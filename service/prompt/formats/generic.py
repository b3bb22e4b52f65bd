"""A family that is not known: the checkpoint's template, and the strings that the engine knows."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain.conversation import Modality
from service.prompt.formats.family import Family


def make_generic_family(strings: Mapping[Modality, str | None]) -> Family:
    """Return a family without a format: `strings` are what templates for plain text are given.

    None for a kind that has no place in a text. What stands for media in a finished prompt is not
    known, so it is left to the engine to count them.
    """
    return Family(
        name="chat-template",
        model_types=frozenset(),
        placeholders={},
        strings={kind: string for kind, string in strings.items() if string is not None},
        unwritten=frozenset(kind for kind, string in strings.items() if string is None),
    )
