"""vLLM's log probabilities to the domain's.

vLLM gives a dict for each place, with the token that stands there first, then the likeliest by
rank, or those that were asked for by id (vllm/logprobs.py, append_logprobs_for_next_position).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from vllm.logprobs import Logprob

from service.domain.events import TokenLogprob, TokenLogprobs

Place = Mapping[int, Logprob]


def to_token_logprobs(places: Iterable[Place | None], count: int) -> tuple[TokenLogprobs, ...]:
    """Convert; of the likeliest, `count` are kept (-1: all).

    Nothing is told of a prompt's first token, for nothing comes before it: None is left out.
    """
    return tuple(_to_place(place, count) for place in places if place is not None)


def _to_place(place: Place, count: int) -> TokenLogprobs:
    found = [TokenLogprob(token_id, one.logprob, one.rank or 0) for token_id, one in place.items()]
    chosen, *others = found
    # The chosen one is in the list a second time only where it is among the likeliest.
    ranked = sorted(found, key=lambda one: one.rank) if 0 < chosen.rank <= count else others
    return TokenLogprobs(chosen, tuple(islice(ranked, None if count < 0 else count)))
