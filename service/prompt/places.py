"""The MediaPlaces port on what is known of a model's family.

Finished prompts may be as long as a message, and are looked through on the event loop. So the
places are looked for as plain strings, which takes a millisecond a megabyte; a regular expression
with all of them takes a hundred times as long.

Tested by tests/unit/prompt/test_places.py.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping

from service.domain.conversation import Modality
from service.domain.prompt import Place
from service.prompt.formats.family import NUMBER, Family


class FamilyPlaces:
    """Finds and names the places of media; without a family none are known."""

    def __init__(self, family: Family | None) -> None:
        self._family = family

    @property
    def placeholders(self) -> Mapping[Modality, str]:
        """What the engine replaces, for each kind that has a place in a text."""
        return self._family.placeholders if self._family else {}

    def string_for(self, modality: Modality, number: int) -> str | None:
        """Return what stands for a medium in plain text."""
        return self._family.string_for(modality, number) if self._family else None

    def find(self, text: str) -> Iterator[Place]:
        """Yield the places in a text, in order; of two at one place, the one known first."""
        kinds = [_find_kind(text, kind, token) for kind, token in self.placeholders.items()]
        end = 0
        for place in heapq.merge(*kinds, key=lambda place: place.start):
            if place.start >= end:
                yield place
                end = place.end


def _find_kind(text: str, kind: Modality, token: str) -> Iterator[Place]:
    head, *_ = token.partition(NUMBER)
    pattern = re.compile(re.escape(token).replace(re.escape(NUMBER), "[0-9]+"))
    start = text.find(head)
    while start >= 0:
        found = pattern.match(text, start)
        if found:
            yield Place(kind, *found.span())
        start = text.find(head, found.end() if found else start + 1)
