"""Finds out which bytes of a rendered prompt a caller wrote.

A template is a program: it may trim, skip, repeat or change what it is given. So each text is
marked at both ends with characters that nobody can guess, the template is rendered, and the marks
are taken out again. What lies between two marks is the caller's.

Where the template cuts texts apart, as `content.split('</think>')` does, each piece has marks of
its own, and is known wherever it stays. A cut through a piece cannot be followed.

Tested by tests/unit/prompt/test_provenance.py, and with templates by test_renderer.py.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from service.domain.prompt import ByteSpan
from service.errors import TemplateRefusedError

# Private-use characters: no template looks for them, and nothing trims or changes them.
_OPENING, _CLOSING, _END = "\ue0a0\ue0a1\ue0a2"


@dataclass(frozen=True, slots=True)
class Unmarked:
    """A text without its marks; spans count characters of it, in order, without overlap."""

    text: str
    spans: tuple[tuple[int, int], ...]

    def template_text(self) -> str:
        """Return what the template wrote, with a NUL in place of each text of the caller's."""
        pieces, done = [], 0
        for start, end in self.spans:
            pieces.append(self.text[done:start])
            done = end
        return "\0".join([*pieces, self.text[done:]])

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


# Each costs a hundred bytes or two, however short it is.
_MAX_PIECES = 500_000
_MAX_DIGITS = 6


class Marker:
    """Marks the texts of one rendering; `separators` matches where the template cuts them."""

    def __init__(self, separators: re.Pattern[str] | None) -> None:
        self._separators = separators
        # Digits: a template that changes the case of a text changes no mark.
        self._nonce = f"{secrets.randbelow(10**20):020}"
        # What is before each piece and after the one before it; None before a text's first.
        self._gaps: list[str | None] = []

    def mark(self, text: str) -> str:
        """Mark each piece's ends inside the whitespace around it, which templates like to trim.

        Raises TemplateRefusedError for a conversation of too many pieces.
        """
        if not text.strip():
            return text
        marked, done = [], 0
        for start, end in self._pieces(text):
            number = f"{self._nonce}{len(self._gaps)}{_END}"
            gap, piece = text[done:start], text[start:end]
            marked.append(f"{gap}{_OPENING}{number}{piece}{_CLOSING}{number}")
            self._gaps.append(gap if len(marked) > 1 else None)
            done = end
            if len(self._gaps) > _MAX_PIECES:
                raise TemplateRefusedError(
                    "conversation", f"its texts have more than {_MAX_PIECES} pieces"
                )
        return "".join(marked) + text[done:]

    def unmark(self, marked: str) -> Unmarked | None:
        """Take the marks out again; None where a piece lost one of its two."""
        split = self._split_at_marks(marked)
        if split is None:
            return None
        text, marks = split
        texts, spans, length = [text], [(0, 0)], len(text)
        gap, opened, closed = text, -1, -1
        for kind, number, after in marks:
            if (opened == -1) != (kind == _OPENING) or opened not in {-1, number}:
                return None
            if kind == _OPENING:
                continues = number == closed + 1 and gap == self._gaps[number]
                spans += [] if continues or not gap else [(length, length)]
                opened = number
            else:
                spans[-1] = (spans[-1][0], length)
                gap, opened, closed = after, -1, number
            texts.append(after)
            length += len(after)
        if opened != -1:
            return None
        text = "".join(texts)
        trimmed = (_trim(text, start, end) for start, end in spans)
        return Unmarked(text, tuple((start, end) for start, end in trimmed if start < end))

    def _split_at_marks(self, marked: str) -> tuple[str, list[tuple[str, int, str]]] | None:
        """Return the text before all marks, and of each: its kind, its number, the text behind.

        None for half a mark. No regular expression does it: nothing else in this process goes on
        while one goes over a long text.
        """
        first, *rest = marked.split(self._nonce)
        marks, before = [], first
        for left, number_and_text in zip(range(len(rest))[::-1], rest, strict=True):
            kind = before[-1:]
            number, end, text = number_and_text.partition(_END)
            is_number = number.isascii() and number.isdecimal() and len(number) <= _MAX_DIGITS
            if kind not in {_OPENING, _CLOSING} or not end or not is_number:
                return None
            if int(number) >= len(self._gaps):
                return None
            # The last character belongs to the next mark.
            marks.append((kind, int(number), text[:-1] if left else text))
            before = text
        return (first[:-1] if rest else first), marks

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where each piece between separators starts and ends, whitespace left out."""
        done = 0
        cuts = self._separators.finditer(text) if self._separators else ()
        for separator in (*cuts, None):
            end = separator.start() if separator else len(text)
            yield _trim(text, done, end)
            done = separator.end() if separator else end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the whitespace around a piece; an empty piece is behind it."""
    piece = text[start:end].lstrip()
    start = end - len(piece)
    return start, start + len(piece.rstrip())
