"""What tokenizing gives: the tokens of a text, and the text of growing tokens."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from service.domain.prompt import ByteSpan


@dataclass(frozen=True, slots=True)
class EncodedText:
    """The ids of a text, and for each the bytes of the text (in UTF-8) that it stands for.

    Exact to the byte: a span may cut a character in two. A token that no text stands for has an
    empty span.
    """

    token_ids: list[int]
    spans: list[ByteSpan]


# No dataclass: one is made for every token of every answer, and that takes ten times as long.
class StreamText(msgspec.Struct, frozen=True, gc=False):
    """What ids added to a stream."""

    text: str
    stop_index: int | None = None  # the stop string that has ended the text, in this call or before
    tokens_used: int = 0  # ids of the call up to the one that completed the stop string; else all
