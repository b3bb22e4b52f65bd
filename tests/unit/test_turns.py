"""Places and turns: who is next, and what happens to those who leave."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from service.domain.turns import Ticket, Turns


class Line:
    """Asks for places by name, and notes who got them."""

    def __init__(self, places: int) -> None:
        self.turns = Turns(places)
        self.served: list[str] = []
        self.tickets: dict[str, Ticket] = {}

    def ask(self, name: str, **wish: int) -> None:
        """Ask as the caller that the name begins with."""
        granted = self._note(name)
        self.tickets[name] = self.turns.ask(name[0], granted, **wish)

    def leave(self, name: str) -> None:
        self.turns.leave(self.tickets[name])

    def _note(self, name: str) -> Callable[[], None]:
        return lambda: self.served.append(name)


def test_places_are_held_until_they_are_given_back() -> None:
    line = Line(2)
    for name in ("a0", "a1", "a2"):
        line.ask(name)
    assert (line.served, line.turns.held) == (["a0", "a1"], 2)
    line.leave("a0")
    line.leave("a0")
    assert (line.served, line.turns.held) == (["a0", "a1", "a2"], 2)


def test_callers_that_hold_as_much_take_turns() -> None:
    line = Line(1)
    for name in ("x0", "a0", "a1", "b0", "b1", "c0"):
        line.ask(name)
    for name in ("x0", "a0", "b0", "c0", "a1"):
        line.leave(name)
    assert line.served == ["x0", "a0", "b0", "c0", "a1", "b1"]


def test_the_caller_that_holds_least_comes_first() -> None:
    line = Line(3)
    for name in ("a0", "a1", "b0", "a2", "b1"):
        line.ask(name)
    line.leave("a0")
    assert line.served[3:] == ["a2"]
    line.leave("a1")
    assert line.served[4:] == ["b1"]


def test_a_lower_priority_comes_first_and_then_the_older() -> None:
    line = Line(1)
    line.ask("a0")
    line.ask("a1", priority=2)
    line.ask("a2", priority=-1)
    line.ask("a3", priority=-1)
    for name in ("a0", "a2", "a3"):
        line.leave(name)
    assert line.served == ["a0", "a2", "a3", "a1"]


def test_who_wants_several_places_is_not_passed_until_it_has_them() -> None:
    line = Line(3)
    line.ask("a0", places=2)
    line.ask("b0", places=2)
    line.ask("c0")
    assert line.served == ["a0"]
    line.leave("a0")
    assert line.served == ["a0", "b0", "c0"]


def test_who_wants_more_than_there_is_gets_all() -> None:
    line = Line(2)
    line.ask("a0", places=9)
    line.ask("b0")
    assert (line.served, line.turns.held) == (["a0"], 2)


def test_one_that_leaves_the_line_lets_the_next_pass() -> None:
    line = Line(2)
    line.ask("a0")
    line.ask("b0", places=2)
    line.ask("c0")
    line.leave("b0")
    assert line.served == ["a0", "c0"]


async def test_a_turn_is_held_for_a_block() -> None:
    turns = Turns(1)
    async with turns.turn("a"):
        next_one = asyncio.create_task(_hold(turns))
        await asyncio.sleep(0)
        assert not next_one.done()
    await next_one
    assert turns.held == 0


async def test_a_turn_that_is_cancelled_is_given_back() -> None:
    """Also when it was granted, and its task had not gone on yet."""
    turns = Turns(1)
    async with turns.turn("a"):
        granted = asyncio.create_task(_hold(turns))
        waiting = asyncio.create_task(_hold(turns))
        await asyncio.sleep(0)
        waiting.cancel()
    granted.cancel()
    await asyncio.gather(granted, waiting, return_exceptions=True)
    assert (turns.held, turns._callers) == (0, {})


async def _hold(turns: Turns) -> None:
    async with turns.turn("a"):
        pass


@pytest.mark.parametrize("seed", range(5))
def test_nobody_waits_for_ever(seed: int) -> None:
    """Between two of a caller's turns, no other caller that waits has more than its own share."""
    chance = random.Random(seed)
    line = Line(5)
    for number in range(400):
        line.ask(f"{chance.choice('aaaaaaabc')}{number}", places=chance.randint(1, 3))
    asked = list(line.tickets)
    while len(line.served) < len(asked):
        held = [one for one in line.served if not line.tickets[one].has_left]
        line.leave(chance.choice(held))
        assert line.turns.held <= 5
    places_of = dict.fromkeys("abc", 0)
    while_all_waited = line.served[: line.served.index(_last_of(line, "b"))]
    for name in while_all_waited:
        places_of[name[0]] += line.tickets[name].places
    assert max(places_of.values()) - min(places_of.values()) <= max(places_of.values()) / 2


def _last_of(line: Line, caller: str) -> str:
    return [name for name in line.served if name[0] == caller][-1]
