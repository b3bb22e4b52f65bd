"""vLLM's log probabilities to the domain's.

vLLM gives a dict for each place, with the token that stands there first, then the likeliest by
rank, or those that were asked for by id (vllm/logprobs.py, append_logprobs_for_next_position).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vllm.logprobs import Logprob

from service.domain.events import TokenLogprob, TokenLogprobs

Place = Mapping[int, Logprob]


def to_token_logprobs(
    places: Iterable[Place | None], count: int, wanted_ids: Sequence[int] = ()
) -> tuple[TokenLogprobs, ...]:
    """Convert; the `count` likeliest are kept (-1: all), or those of `wanted_ids`.

    Nothing is told of a prompt's first token, for nothing comes before it: None is left out.
    """
    return tuple(_to_place(place, count, wanted_ids) for place in places if place is not None)


def _to_place(place: Place, count: int, wanted_ids: Sequence[int]) -> TokenLogprobs:
    found = {
        token_id: TokenLogprob(token_id, one.logprob, one.rank or 0)
        for token_id, one in place.items()
    }
    chosen = next(iter(found.values()))
    if wanted_ids:
        return TokenLogprobs(chosen, tuple(found[token_id] for token_id in wanted_ids))
    others = list(found.values())[1:]
    # The chosen one is not there a second time where it is among the likeliest.
    is_likely = count < 0 or chosen.rank <= count
    ranked = sorted((chosen, *others), key=lambda one: one.rank) if is_likely else others
    return TokenLogprobs(chosen, tuple(ranked if count < 0 else ranked[:count]))
