"""Where media stand in a model's texts."""

from __future__ import annotations

from random import Random

import pytest

from service.domain.conversation import Modality
from service.domain.prompt import Place
from service.prompt.formats import FAMILIES
from service.prompt.formats.family import Family
from service.prompt.places import FamilyPlaces

NUMBERED = Family(
    "numbered",
    frozenset({"numbered"}),
    {Modality.IMAGE: "<|image_{number}|>", Modality.AUDIO: "<|audio_{number}|>"},
    strings={Modality.AUDIO: "Audio {number}: <|audio_{number}|>"},
)
NESTED = Family(
    "nested", frozenset({"nested"}), {Modality.IMAGE: "<image>", Modality.VIDEO: "(<image>)"}
)


def test_places_are_found_in_order() -> None:
    places = FamilyPlaces(NUMBERED)
    text = "<|audio_1|> <|image_12|><|image_|><|image_2|>"
    assert list(places.find(text)) == [
        Place(Modality.AUDIO, 0, 11),
        Place(Modality.IMAGE, 12, 24),
        Place(Modality.IMAGE, 34, 45),
    ]


def test_of_two_that_overlap_the_first_is_one() -> None:
    places = FamilyPlaces(NESTED)
    assert list(places.find("(<image>)<image>")) == [
        Place(Modality.VIDEO, 0, 9),
        Place(Modality.IMAGE, 9, 16),
    ]


def test_strings_count_the_media_of_a_kind() -> None:
    places = FamilyPlaces(NUMBERED)
    assert places.string_for(Modality.AUDIO, 3) == "Audio 3: <|audio_3|>"
    assert places.string_for(Modality.VIDEO, 1) is None


def test_nothing_is_known_without_a_family() -> None:
    places = FamilyPlaces(None)
    assert list(places.find("<image>")) == []
    assert places.string_for(Modality.IMAGE, 1) is None
    assert not places.placeholders


@pytest.mark.parametrize("family", [*FAMILIES, NUMBERED], ids=lambda family: family.name)
def test_the_quick_way_finds_what_the_plain_one_finds(family: Family) -> None:
    """On random texts made of the placeholders and of what looks like them."""
    random = Random(7)
    tokens = [token.replace("{number}", "7") for token in family.placeholders.values()]
    pieces = [
        *tokens,
        *(token[:-1] for token in tokens),
        *(token[1:] for token in tokens),
        " ",
        "é",
    ]
    for _ in range(300):
        text = "".join(random.choices(pieces, k=random.randrange(12)))
        found = [(place.start, place.modality) for place in FamilyPlaces(family).find(text)]
        assert found == list(family.find_places(text))
