"""How many sessions there may be at once, and how many of one caller."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from service.errors import OverloadedError
from service.sessions.places import SessionPlaces


def test_when_all_places_are_held_the_next_is_refused() -> None:
    places = SessionPlaces(2)
    with places.taken(""), places.taken(""):
        with pytest.raises(OverloadedError) as refusal, places.taken(""):
            pass
        assert refusal.value.metadata == {
            "limit": "max_sessions",
            "limit_value": "2",
            "actual": "3",
        }


def test_a_place_is_free_again_however_its_session_ended() -> None:
    places = SessionPlaces(1)
    with pytest.raises(KeyError), places.taken("somebody"):
        raise KeyError
    with places.taken("somebody"):
        pass


def test_one_caller_leaves_half_to_others() -> None:
    places = SessionPlaces(3)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(places.taken("greedy"))
        with pytest.raises(OverloadedError, match="max_sessions_of_a_caller is 2"):
            held.enter_context(places.taken("greedy"))
        held.enter_context(places.taken("modest"))
