"""vLLM's log probabilities, place by place, in the domain's order."""

from __future__ import annotations

import pytest
from vllm.logprobs import Logprob

from service.engine.logprobs import to_token_logprobs

# As vLLM has it: the place's own token first, then the likeliest.
CHOSEN_IS_SECOND = {7: Logprob(-1.5, 2), 5: Logprob(-0.5, 1), 9: Logprob(-2.5, 3)}
CHOSEN_IS_LAST = {7: Logprob(-9.5, 40), 5: Logprob(-0.5, 1), 9: Logprob(-2.5, 2)}


def ids(place: object) -> tuple[int, list[int]]:
    return place.chosen.token_id, [token.token_id for token in place.top]


@pytest.mark.parametrize(
    ("place", "count", "top"),
    [
        (CHOSEN_IS_SECOND, 0, []),
        (CHOSEN_IS_SECOND, 1, [5]),
        (CHOSEN_IS_SECOND, 2, [5, 7]),
        (CHOSEN_IS_SECOND, 3, [5, 7, 9]),
        (CHOSEN_IS_SECOND, -1, [5, 7, 9]),
        (CHOSEN_IS_LAST, 2, [5, 9]),
        (CHOSEN_IS_LAST, -1, [5, 9, 7]),
    ],
)
def test_the_likeliest_come_in_order(place: dict[int, Logprob], count: int, top: list[int]) -> None:
    (found,) = to_token_logprobs([place], count)
    assert ids(found) == (7, top)
    assert found.chosen.logprob == place[7].logprob


def test_ids_that_were_asked_for_come_as_they_were_asked_for() -> None:
    """The place's own token is among them only where it was asked for."""
    place = {7: Logprob(-1.5, 2), 9: Logprob(-3.5, 1), 5: Logprob(-2.5, 2)}
    assert ids(to_token_logprobs([place], 3, (9, 5))[0]) == (7, [9, 5])
    assert ids(to_token_logprobs([place], 3, (9, 7))[0]) == (7, [9, 7])


def test_nothing_is_told_of_a_prompts_first_token() -> None:
    assert len(to_token_logprobs([None, CHOSEN_IS_LAST], 1)) == 1
