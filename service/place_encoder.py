"""Token ids of prompts in whose text a medium's place is no token, as InternVL's `<image>` is none.

The engine looks for the ids that such a place has alone, and takes the first that it finds. So two
things must be made true:

- A place that the template wrote has these ids. Beside other text it may have others: `>` and a
  line break are one token in many vocabularies. The engine would then look in the text of all ids,
  make ids of that again, and obey the control tokens that a user typed.
- Nothing else in front of it has them. A place that a user typed is cut in two: the halves are ids
  of the same text, but others, where a vocabulary has a word such as `image`.

So the text is cut, and ids are made of each piece. They are those of vLLM's own prompts, in which
control tokens lie around what a place becomes; tests/conformance/formats proves it.

Tested by tests/unit/test_place_encoder.py.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

from service.domain.conversation import Modality
from service.domain.prompt import ByteSpan, RenderedPrompt
from service.errors import InvalidRequestError
from service.ports import MediaPlaces, Tokenizer

_MOST_TYPED_PLACES = 1000


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A part of a prompt to make ids of by itself; `is_place` where a medium stands for it."""

    text: str
    literal_spans: tuple[ByteSpan, ...]
    is_place: bool


@dataclass(frozen=True, slots=True)
class PlaceEncoder:
    """Encodes rendered conversations. Every method raises errors of errors.py."""

    tokenizer: Tokenizer
    places: MediaPlaces
    _ids_of_placeholders: dict[str, list[int]] = field(default_factory=dict, init=False)

    async def encode(self, rendered: RenderedPrompt, kinds: Iterable[Modality]) -> list[int]:
        """Return the ids of a prompt that has media of these kinds."""
        # Without a user's text nothing can be mistaken, and the engine may do as it likes.
        if not rendered.literal_spans or not await self._are_texts(kinds):
            return await self._encode(rendered.text, rendered.literal_spans)
        pieces = cut_at_places(rendered, self.places)
        encoded = await asyncio.gather(
            *(self._encode(piece.text, piece.literal_spans) for piece in pieces)
        )
        _check_apart(pieces, encoded)
        return list(chain.from_iterable(encoded))

    async def ids_of(self, placeholder: str) -> list[int]:
        """Return the ids of a placeholder, which are made once."""
        if placeholder not in self._ids_of_placeholders:
            self._ids_of_placeholders[placeholder] = await self._encode(placeholder)
        return self._ids_of_placeholders[placeholder]

    async def _are_texts(self, kinds: Iterable[Modality]) -> bool:
        """Tell whether one of these kinds has a place that is no single token."""
        known = [self.places.placeholders.get(kind) for kind in kinds]
        return any([len(await self.ids_of(one)) > 1 for one in known if one])

    async def _encode(self, text: str, literal_spans: Sequence[ByteSpan] = ()) -> list[int]:
        return await self.tokenizer.encode(text, literal_spans=literal_spans)


def cut_at_places(rendered: RenderedPrompt, places: MediaPlaces) -> list[TextPiece]:
    """Cut a prompt around each place that its template wrote, and through each that a user typed.

    Behind the last written place, where the engine looks for none, there are no cuts.

    Raises InvalidRequestError where more than a thousand are typed.
    """
    # A character for each byte, so that places are counted as spans are. They are ASCII.
    text = rendered.text.encode().decode("latin-1")
    spans = rendered.literal_spans
    starts = [span.start for span in spans]
    written, middles = set(), []
    for place in places.find(text):
        before = bisect_right(starts, place.start) - 1
        if before >= 0 and place.start < spans[before].end:
            middles.append((place.start + place.end) // 2)
        else:
            written.add((place.start, place.end))
    last = max((end for _, end in written), default=0)
    cuts = {middle for middle in middles if middle < last}
    if len(cuts) > _MOST_TYPED_PLACES:
        raise InvalidRequestError(
            "conversation",
            f"its texts have, more than {_MOST_TYPED_PLACES} times in front of a medium, what "
            "stands for a medium in the prompts of this model",
        )
    edges = sorted({0, len(text), *cuts, *chain.from_iterable(written)})
    return [
        TextPiece(
            text[start:end].encode("latin-1").decode(),
            _clipped(spans, starts, start, end),
            (start, end) in written,
        )
        for start, end in pairwise(edges)
    ]


def _clipped(
    spans: Sequence[ByteSpan], starts: Sequence[int], start: int, end: int
) -> tuple[ByteSpan, ...]:
    """Return the spans within [start, end), counted from its start."""
    first, last = max(bisect_right(starts, start) - 1, 0), bisect_right(starts, end)
    clipped = (
        ByteSpan(max(span.start, start) - start, min(span.end, end) - start)
        for span in spans[first:last]
    )
    return tuple(span for span in clipped if span.start < span.end)


def _check_apart(pieces: Sequence[TextPiece], encoded: Sequence[list[int]]) -> None:
    """Refuse a prompt in which something else has the ids of a place, in front of the last one."""
    places = [index for index, piece in enumerate(pieces) if piece.is_place]
    joined = list(chain.from_iterable(encoded[: max(places, default=-1) + 1]))
    for run, count in Counter(tuple(encoded[index]) for index in places).items():
        if _count_runs(joined, list(run)) != count:
            raise InvalidRequestError(
                "conversation",
                "its texts have what stands for a medium in the prompts of this model, and its "
                "tokenizer cannot tell the two apart; leave it out of them",
            )


def _count_runs(token_ids: list[int], run: list[int]) -> int:
    return sum(
        token_ids[start : start + len(run)] == run
        for start, token_id in enumerate(token_ids)
        if token_id == run[0]
    )
