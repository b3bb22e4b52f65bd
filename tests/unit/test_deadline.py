"""When an answer is ended for its call's deadline, and that nothing else ends it."""

from __future__ import annotations

import asyncio

import pytest

from service.deadline import answer_by, ended_at
from service.domain.ending import Ending
from service.domain.events import FinishReason


async def end_of(left_s: float, margin_s: float) -> float | None:
    """Return how long an answer may take whose client waits so long."""
    now = asyncio.get_running_loop().time()
    end = answer_by(now + left_s, margin_s)
    return None if end is None else end - now


@pytest.mark.parametrize(
    ("left_s", "margin_s", "expected_s"),
    [(10.0, 0.25, 9.75), (1.0, 0.25, 0.75), (0.2, 0.25, 0.15), (-1.0, 0.25, -1.0)],
    ids=["the margin is kept back", "all of it", "but a quarter at most", "too late"],
)
async def test_an_answer_ends_before_its_client_gives_up(
    left_s: float, margin_s: float, expected_s: float
) -> None:
    assert await end_of(left_s, margin_s) == pytest.approx(expected_s, abs=0.01)


async def test_without_a_margin_or_a_deadline_nothing_is_ended() -> None:
    assert await end_of(10.0, 0.0) is None
    assert answer_by(None, 0.25) is None


async def test_the_time_ends_the_answer() -> None:
    ending = Ending()
    with ended_at(asyncio.get_running_loop().time(), ending):
        assert await ending.unless_ended(asyncio.Event().wait()) is None
    assert ending.reason is FinishReason.DEADLINE


async def test_an_answer_that_is_complete_is_ended_no_more() -> None:
    ending = Ending()
    with ended_at(asyncio.get_running_loop().time(), ending):
        pass
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ending.reason is None
