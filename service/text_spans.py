"""Where the placeholders of a prompt's media stand in its text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from service.domain.conversation import Modality
from service.domain.media import PlaceholderSpan
from service.domain.prompt import ByteSpan, Place, RenderedPrompt
from service.domain.prompt_preview import PreviewedPlaceholder


def locate_placeholders(
    spans: Sequence[PlaceholderSpan], rendered: RenderedPrompt, places: Iterable[Place]
) -> tuple[PreviewedPlaceholder, ...]:
    """Pair each medium with its place in the text; `places` are all that look like one.

    A kind that has not as many places as media has none: then it is not known which is whose.
    """
    written = _outside(rendered, places)
    # One more than there are media tells that they are not as many.
    found = list(islice(written, len(spans) + 1))
    by_kind: dict[Modality, Iterator[ByteSpan]] = {}
    for kind in {span.modality for span in spans}:
        at = [place for modality, place in found if modality is kind]
        if len(at) == sum(span.modality is kind for span in spans):
            by_kind[kind] = iter(at)
    return tuple(
        PreviewedPlaceholder(span, next(by_kind[span.modality], None))
        if span.modality in by_kind
        else PreviewedPlaceholder(span, None)
        for span in spans
    )


def _outside(
    rendered: RenderedPrompt, places: Iterable[Place]
) -> Iterator[tuple[Modality, ByteSpan]]:
    """Yield the places that no caller wrote into a text part, in bytes."""
    starts = [span.start for span in rendered.literal_spans]
    done = offset = 0
    for place in places:
        offset += len(rendered.text[done : place.start].encode())
        done = place.start
        before = bisect_right(starts, offset) - 1
        if before >= 0 and offset < rendered.literal_spans[before].end:
            continue
        length = len(rendered.text[place.start : place.end].encode())
        yield place.modality, ByteSpan(offset, offset + length)
