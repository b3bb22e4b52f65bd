"""Finds out which bytes of a rendered prompt a caller wrote.

A template is a program: it may trim, skip or repeat what it is given. So each text is marked at
both ends with characters that nobody can guess, the template is rendered, and the marks are taken
out again. What lies between two marks is the caller's.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from itertools import takewhile

from service.domain.prompt import ByteSpan


@dataclass(frozen=True, slots=True)
class Unmarked:
    """A text without its marks; spans count characters of it, in order, without overlap."""

    text: str
    spans: tuple[tuple[int, int], ...]

    def byte_spans(self) -> tuple[ByteSpan, ...]:
        """Return the spans in bytes of UTF-8."""
        spans, done, offset = [], 0, 0
        for start, end in self.spans:
            offset += len(self.text[done:start].encode())
            length = len(self.text[start:end].encode())
            spans.append(ByteSpan(offset, offset + length))
            offset += length
            done = end
        return tuple(spans)


class Marker:
    """Marks the texts of one rendering, each by its number."""

    def __init__(self) -> None:
        # Private-use characters: no template looks for them, and nothing trims them.
        self._nonce = f"\ue0a0{secrets.token_hex(8)}"
        self._cores: list[str] = []

    def mark(self, text: str) -> str:
        """Mark a text's ends inside the whitespace around it, which templates like to trim."""
        core = text.strip()
        if not core:
            return text
        number = len(self._cores)
        self._cores.append(core)
        start = text.index(core)
        opening, closing = f"{self._nonce}<{number};", f"{self._nonce}>{number};"
        return f"{text[:start]}{opening}{core}{closing}{text[start + len(core) :]}"

    def unmark(self, marked: str) -> Unmarked:
        """Take the marks out again."""
        pieces = re.split(f"{self._nonce}([<>])([0-9]+);", marked)
        text, spans = pieces[0], []
        for before, kind, number, after in zip(
            pieces[::3], pieces[1::3], pieces[2::3], pieces[3::3], strict=False
        ):
            core = self._cores[int(number)]
            if kind == "<":
                spans.append((len(text), len(text) + _common_prefix(core, after)))
            elif not spans or spans[-1][1] < len(text):
                # The template cut the text's beginning off, and its mark with it.
                spans.append((len(text) - _common_prefix(core[::-1], before[::-1]), len(text)))
            text += after
        return Unmarked(text, tuple(spans))


def _common_prefix(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
