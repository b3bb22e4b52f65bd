"""An output as an engine gives it: some ids a step."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """What one step gives; the last one ends with the stop token, unless the output is cut."""

    token_ids: tuple[int, ...]
    finish_reason: str | None = None


def steps(ids: Sequence[int], stop_id: int | None, longest: int, seed: int) -> list[Step]:
    """Cut an output into steps of up to `longest` ids; `stop_id` None: it ends for its length."""
    random_ = random.Random(seed)
    left = [*ids] if stop_id is None else [*ids, stop_id]
    given = []
    while left:
        count = random_.randint(1, longest)
        given.append(tuple(left[:count]))
        del left[:count]
    *earlier, last = given
    return [*map(Step, earlier), Step(last, "length" if stop_id is None else "stop")]
