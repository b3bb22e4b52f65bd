"""Places that are text have ids of their own, and what a user types has others."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from service.domain.conversation import Modality
from service.domain.prompt import ByteSpan, RenderedPrompt
from service.errors import InvalidRequestError
from service.place_encoder import PlaceEncoder, TextPiece, cut_at_places
from service.prompt.formats.family import Family
from service.prompt.places import FamilyPlaces

KINDS = {Modality.IMAGE}
PLACES = FamilyPlaces(
    Family("text", frozenset(), {Modality.IMAGE: "<image>", Modality.AUDIO: "<sound_{number}>"})
)


class WordTokenizer:
    """An id for each word, for each other character, and for `>` with a line break."""

    def __init__(self, pattern: str = r">\n|\w+|\W") -> None:
        self._pattern = re.compile(pattern)
        self._ids: dict[str, int] = {}
        self.seen: list[tuple[str, list[ByteSpan]]] = []

    async def encode(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> list[int]:
        assert not add_special_tokens
        self.seen.append((text, list(literal_spans)))
        return self.ids(text)

    def ids(self, *texts: str) -> list[int]:
        """Return the ids of texts, made one by one."""
        return [
            self._ids.setdefault(word, len(self._ids))
            for text in texts
            for word in self._pattern.findall(text)
        ]


@pytest.fixture
def tokenizer() -> WordTokenizer:
    return WordTokenizer()


@pytest.fixture
def encoder(tokenizer: WordTokenizer) -> PlaceEncoder:
    return PlaceEncoder(tokenizer, PLACES)


def prompt(text: str, *typed: str) -> RenderedPrompt:
    """Return a prompt in which these texts, each once and in this order, are a user's."""
    spans, done = [], 0
    for one in typed:
        start = text.index(one, done)
        done = start + len(one)
        spans.append(ByteSpan(len(text[:start].encode()), len(text[:done].encode())))
    return RenderedPrompt(text, tuple(spans))


async def test_a_place_has_the_ids_that_it_has_alone(
    tokenizer: WordTokenizer, encoder: PlaceEncoder
) -> None:
    ids = await encoder.encode(prompt("user: <image>\nWhat?", "What?"), KINDS)

    assert tokenizer.ids("user: ", "<image>", "\nWhat?") == ids
    assert tokenizer.ids("user: <image>\nWhat?") != ids


async def test_a_typed_place_in_front_has_other_ids_for_the_same_text(
    tokenizer: WordTokenizer, encoder: PlaceEncoder
) -> None:
    ids = await encoder.encode(prompt("a <image> b: <image>!", "a <image> b"), KINDS)

    assert tokenizer.ids("a <im", "age> b: ", "<image>", "!") == ids


async def test_a_typed_place_behind_the_last_stays_whole(
    tokenizer: WordTokenizer, encoder: PlaceEncoder
) -> None:
    ids = await encoder.encode(prompt("<image>: a <image>\nb", "a <image>\nb"), KINDS)

    assert tokenizer.ids("<image>", ": a <image>\nb") == ids


@pytest.mark.parametrize(
    ("rendered", "kinds"),
    [
        (prompt("<image>\nb"), KINDS),
        (prompt("a <image>\nb", "a <image>\nb"), set()),
        (prompt("a <image>\nb", "a <image>\nb"), {Modality.VIDEO}),
    ],
)
async def test_what_cannot_be_mistaken_is_encoded_whole(
    tokenizer: WordTokenizer,
    encoder: PlaceEncoder,
    rendered: RenderedPrompt,
    kinds: set[Modality],
) -> None:
    """It has no user's text, no media, or none that stand in the text."""
    assert tokenizer.ids(rendered.text) == await encoder.encode(rendered, kinds)
    assert (rendered.text, list(rendered.literal_spans)) == tokenizer.seen[-1]


async def test_a_place_that_is_a_token_is_encoded_with_the_text_around_it() -> None:
    tokenizer = WordTokenizer(r"<image>|>\n|\w+|\W")
    rendered = prompt("a <image> b: <image>\n!", "a <image> b")
    await PlaceEncoder(tokenizer, PLACES).encode(rendered, KINDS)

    assert rendered.text == tokenizer.seen[-1][0]


async def test_a_tokenizer_that_cannot_tell_them_apart_is_not_asked_to() -> None:
    """With an id for each character, both halves of a typed place are the place's ids."""
    letters = PlaceEncoder(WordTokenizer("(?s:.)"), PLACES)

    with pytest.raises(InvalidRequestError, match="cannot tell the two apart"):
        await letters.encode(prompt("a <image>: <image>", "a <image>"), KINDS)
    assert 14 == len(await letters.encode(prompt("a: <image>\nb c", "a"), KINDS))


def test_spans_are_cut_with_the_text() -> None:
    rendered = prompt("ä: <image>é <image> <sound_12>: <image>", "ä", "é <image> <sound_12>")

    assert [
        TextPiece("ä: ", (ByteSpan(0, 2),), is_place=False),
        TextPiece("<image>", (), is_place=True),
        TextPiece("é <im", (ByteSpan(0, 6),), is_place=False),
        TextPiece("age> <soun", (ByteSpan(0, 10),), is_place=False),
        TextPiece("d_12>: ", (ByteSpan(0, 5),), is_place=False),
        TextPiece("<image>", (), is_place=True),
    ] == cut_at_places(rendered, PLACES)


def test_too_many_typed_places_are_refused() -> None:
    for count, behind in ((1000, "<image>"), (2000, "")):
        typed = "<image>" * count
        assert cut_at_places(prompt(f"{typed}: {behind}", typed), PLACES)
    typed = "<image>" * 1001
    with pytest.raises(InvalidRequestError, match="more than 1000 times"):
        cut_at_places(prompt(f"{typed}: <image>", typed), PLACES)
