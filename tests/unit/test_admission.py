"""Slots, turns and bounds: who gets the engine, who waits, and who is refused for whom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from service.admission import Admission, AdmissionLimits
from service.errors import (
    DeadlineExceededError,
    OverloadedError,
    ShuttingDownError,
    TriptychError,
)
from service.telemetry.progress import Stage, enter_stage


def admission(running: int = 1, requests: int = 100, tokens: int = 1000) -> Admission:
    return Admission(AdmissionLimits(running, requests, tokens))


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until it is so; every step here takes a few turns of the loop."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("what was waited for did not come")


@dataclass
class Wish:
    """What a request is like. One with a `stage` is prepared there, and never wants a slot."""

    caller: str = ""
    tokens: int = 1
    outputs: int = 1
    priority: int = 0
    stage: Stage | None = None
    deadline: float | None = None


class Guests:
    """Requests as tasks: each is prepared when told, runs when it may, and ends when told."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.served: list[str] = []
        self.refused: dict[str, TriptychError] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def come(self, name: str, **wish: object) -> None:
        """Let one in and wait until it runs, waits for a slot or is prepared, or is refused."""
        self._ends[name] = asyncio.Event()
        has_come = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._visit(name, Wish(**wish), has_come))
        await has_come.wait()
        await asyncio.sleep(0)  # now it waits, if it has to

    async def end(self, name: str) -> None:
        """Let a request end that runs or is prepared."""
        self._ends[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)

    async def leave(self, name: str) -> None:
        """Cancel a request."""
        self.tasks[name].cancel()
        await asyncio.gather(self.tasks[name], return_exceptions=True)
        await asyncio.sleep(0)

    async def close(self) -> None:
        for name in self.tasks:
            await self.leave(name)

    async def _visit(self, name: str, wish: Wish, has_come: asyncio.Event) -> None:
        try:
            with self.admission.visit(wish.caller) as visit:
                async with visit.bounded(wish.deadline):
                    if wish.stage is not None:
                        enter_stage(wish.stage)
                        has_come.set()
                        await self._ends[name].wait()
                        return
                    slot = visit.take_slot(
                        wish.tokens, outputs=wish.outputs, priority=wish.priority
                    )
                    has_come.set()
                    await slot
                self.served.append(name)
                await self._ends[name].wait()
        except TriptychError as error:
            self.refused[name] = error
        finally:
            has_come.set()


@pytest.fixture
async def open_guests() -> AsyncIterator[Callable[[Admission], Guests]]:
    opened: list[Guests] = []

    def open_for(admission: Admission) -> Guests:
        opened.append(Guests(admission))
        return opened[-1]

    yield open_for
    for guests in opened:
        await guests.close()
        assert (guests.admission.running, guests.admission.waiting) == (0, 0)
        assert not guests.admission._callers
        assert guests.admission._waiting_tokens == 0


OpenGuests = Callable[[Admission], Guests]


@pytest.mark.parametrize(
    ("max_sequences", "kv_cache_tokens", "expected"),
    [
        (128, 500_000, AdmissionLimits(160, 7, 1_000_000)),
        (1, 0, AdmissionLimits(2, 7, 65_536)),
    ],
    ids=["a quarter more, and twice the cache", "one more at least, and some tokens"],
)
def test_an_engine_has_bounds_of_its_size(
    max_sequences: int, kv_cache_tokens: int, expected: AdmissionLimits
) -> None:
    assert AdmissionLimits.of_engine(max_sequences, kv_cache_tokens, 7) == expected


async def test_as_many_run_as_may_and_the_next_comes_when_one_ends(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(running=2))
    for name in "abc":
        await guests.come(name)
    assert guests.served == ["a", "b"]
    await guests.end("a")
    assert guests.served == ["a", "b", "c"]


async def test_one_caller_is_served_in_the_order_of_its_requests(open_guests: OpenGuests) -> None:
    guests = open_guests(admission())
    for name in "abcd":
        await guests.come(name)
    for name in "abc":
        await guests.end(name)
    assert guests.served == [*"abcd"]


async def test_a_lower_priority_comes_first_among_the_requests_of_a_caller(
    open_guests: OpenGuests,
) -> None:
    guests = open_guests(admission())
    await guests.come("running")
    await guests.come("late", priority=1)
    await guests.come("early", priority=-1)
    await guests.come("other", caller="B", priority=5)
    for name in ("running", "early", "other"):
        await guests.end(name)
    assert guests.served == ["running", "early", "other", "late"]


async def test_a_caller_with_many_delays_another_by_one_turn_only(open_guests: OpenGuests) -> None:
    guests = open_guests(admission())
    for number in range(20):
        await guests.come(f"a{number}", caller="A")
    await guests.come("b", caller="B")
    await guests.end("a0")
    await guests.end("a1")
    assert guests.served == ["a0", "a1", "b"]


async def test_a_caller_that_has_all_slots_gives_the_first_that_ends_to_another(
    open_guests: OpenGuests,
) -> None:
    guests = open_guests(admission(running=2))
    for number in range(20):
        await guests.come(f"a{number}", caller="A")
    await guests.come("b", caller="B")
    await guests.end("a1")
    assert guests.served == ["a0", "a1", "b"]


async def test_equals_take_turns(open_guests: OpenGuests) -> None:
    guests = open_guests(admission())
    await guests.come("first", caller="X")
    for caller in "ABC":
        for number in range(2):
            await guests.come(f"{caller}{number}", caller=caller)
    for _ in range(6):
        await guests.end(guests.served[-1])
    assert guests.served == ["first", "A0", "B0", "C0", "A1", "B1", "C1"]


async def test_one_who_comes_back_at_once_does_not_pass_those_who_wait(
    open_guests: OpenGuests,
) -> None:
    guests = open_guests(admission())
    await guests.come("A0", caller="A")
    await guests.come("C0", caller="C")
    for number in range(5):
        await guests.come(f"B{number}", caller="B")
        await guests.end(guests.served[-1])
    assert guests.served[1:3] == ["C0", "B0"]


async def test_a_free_slot_goes_to_the_caller_that_has_fewest(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(running=4))
    for number in range(3):
        await guests.come(f"a{number}", caller="A")
    await guests.come("b0", caller="B")
    await guests.come("a3", caller="A")
    await guests.come("b1", caller="B")
    await guests.come("b2", caller="B")
    await guests.end("a0")
    assert guests.served[-1] == "b1"
    await guests.end("a1")
    assert guests.served[-1] == "a3"


async def test_each_output_takes_a_slot(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(running=4))
    await guests.come("three", caller="A", outputs=3)
    await guests.come("two", caller="A", outputs=2)
    await guests.come("one", caller="A", outputs=1)
    assert guests.served == ["three"]
    assert guests.admission.running == 3
    await guests.end("three")
    assert guests.served == ["three", "two", "one"]


async def test_a_request_for_more_outputs_than_slots_runs_alone(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(running=2))
    await guests.come("one")
    await guests.come("huge", outputs=100)
    await guests.come("next")
    assert guests.served == ["one"]
    await guests.end("one")
    assert guests.served == ["one", "huge"]
    await guests.end("huge")
    assert guests.served == ["one", "huge", "next"]


async def test_preparing_takes_no_slot(open_guests: OpenGuests) -> None:
    """A request of text passes those whose media are fetched."""
    guests = open_guests(admission(running=1, requests=5))
    for number in range(3):
        await guests.come(f"media{number}", stage=Stage.MEDIA)
    await guests.come("text")
    assert guests.served == ["text"]
    assert (guests.admission.running, guests.admission.waiting) == (1, 3)


async def test_no_more_wait_than_may_beyond_those_for_whom_there_are_slots(
    open_guests: OpenGuests,
) -> None:
    guests = open_guests(admission(running=2, requests=2))
    for number in range(4):
        await guests.come(f"media{number}", stage=Stage.MEDIA)
    await guests.come("one more")
    assert list(guests.refused) == ["one more"]
    error = guests.refused["one more"]
    assert isinstance(error, OverloadedError)
    assert error.metadata == {"limit": "max_waiting_requests", "limit_value": "2", "actual": "3"}


async def test_without_a_waiting_room_a_free_slot_is_still_taken(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(running=1, requests=0))
    await guests.come("a")
    await guests.come("b")
    assert (guests.served, list(guests.refused)) == (["a"], ["b"])


@pytest.mark.parametrize("stage", [Stage.MEDIA, None], ids=["being prepared", "without a slot"])
async def test_the_newest_of_the_caller_with_most_makes_room_for_another_caller(
    open_guests: OpenGuests, stage: Stage | None
) -> None:
    guests = open_guests(admission(running=1, requests=3))
    await guests.come("running", caller="X")
    for number in range(3):
        await guests.come(f"a{number}", caller="A", stage=stage)
    await guests.come("b", caller="B")
    await until(lambda: bool(guests.refused))
    assert list(guests.refused) == ["a2"]
    await guests.come("a3", caller="A")
    assert list(guests.refused) == ["a2", "a3"]
    assert guests.admission.waiting == 3


async def test_who_has_as_much_waiting_as_any_other_is_refused(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(running=1, requests=2))
    await guests.come("running", caller="X")
    await guests.come("a", caller="A")
    await guests.come("b", caller="B")
    await guests.come("c", caller="C")
    await guests.come("a1", caller="A")
    assert list(guests.refused) == ["c", "a1"]


async def test_tokens_that_wait_are_bounded(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(tokens=100))
    await guests.come("running", tokens=10_000)
    await guests.come("a", tokens=60)
    await guests.come("b", tokens=41)
    await guests.come("c", tokens=40)
    assert list(guests.refused) == ["b"]
    assert guests.refused["b"].metadata["limit"] == "max_waiting_tokens"
    assert guests.refused["b"].metadata["actual"] == "101"
    await guests.end("running")
    await guests.come("d", tokens=60)
    assert list(guests.refused) == ["b"]


async def test_a_prompt_that_waits_alone_may_be_of_any_length(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(tokens=100))
    await guests.come("running")
    await guests.come("long", tokens=5000)
    await guests.come("short", tokens=1)
    assert list(guests.refused) == ["short"]
    await guests.end("running")
    assert guests.served == ["running", "long"]


async def test_as_many_as_are_needed_make_room_for_the_tokens_of_another_caller(
    open_guests: OpenGuests,
) -> None:
    guests = open_guests(admission(tokens=100))
    await guests.come("running", caller="X")
    for number in range(5):
        await guests.come(f"a{number}", caller="A", tokens=20)
    await guests.come("b", caller="B", tokens=35)
    await until(lambda: len(guests.refused) == 2)
    assert sorted(guests.refused) == ["a3", "a4"]


async def test_nobody_is_refused_for_one_that_cannot_stay(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(tokens=100))
    await guests.come("running", caller="X")
    for number in range(5):
        await guests.come(f"a{number}", caller="A", tokens=20)
    await guests.come("b", caller="B", tokens=90)
    assert list(guests.refused) == ["b"]


async def test_one_that_waits_and_is_cancelled_makes_room(open_guests: OpenGuests) -> None:
    guests = open_guests(admission(running=1, requests=1))
    await guests.come("running")
    await guests.come("waiting")
    await guests.leave("waiting")
    await guests.come("next")
    assert not guests.refused
    await guests.leave("running")
    assert guests.served == ["running", "next"]


async def test_one_that_waits_for_several_slots_and_leaves_lets_the_next_run(
    open_guests: OpenGuests,
) -> None:
    guests = open_guests(admission(running=2))
    await guests.come("running")
    await guests.come("two", outputs=2)
    await guests.come("one")
    assert guests.served == ["running"]
    await guests.leave("two")
    assert guests.served == ["running", "one"]


async def test_at_the_deadline_a_visit_without_a_slot_ends_and_names_its_stage(
    open_guests: OpenGuests,
) -> None:
    guests = open_guests(admission())
    await guests.come("running")
    now = asyncio.get_running_loop().time()
    await guests.come("waiting", deadline=now)
    await guests.come("preparing", deadline=now, stage=Stage.FETCH)
    await until(lambda: len(guests.refused) == 2)
    errors = guests.refused.values()
    assert all(isinstance(error, DeadlineExceededError) for error in errors)
    assert [error.metadata["stage"] for error in errors] == [
        "waiting_for_admission",
        "fetching_media",
    ]


async def test_a_timeout_of_the_work_itself_is_no_deadline() -> None:
    with pytest.raises(TimeoutError), admission().visit("") as visit:
        async with visit.bounded(None):
            raise TimeoutError


async def test_closing_refuses_those_who_wait_and_all_who_come(open_guests: OpenGuests) -> None:
    guests = open_guests(admission())
    await guests.come("running")
    await guests.come("waiting")
    await guests.come("preparing", stage=Stage.MEDIA)
    guests.admission.close()
    await until(lambda: len(guests.refused) == 2)
    await guests.come("late")
    assert sorted(guests.refused) == ["late", "preparing", "waiting"]
    assert all(isinstance(error, ShuttingDownError) for error in guests.refused.values())
    assert guests.admission.running == 1


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_comes_and_goes_bounds_hold_and_all_get_their_share(
    open_guests: OpenGuests, seed: int
) -> None:
    """Random requests of a greedy caller and of two others, who are never refused for it."""
    chance = random.Random(seed)
    guests = open_guests(admission(running=4, requests=12, tokens=300))
    callers = {}
    for number in range(200):
        caller = chance.choices("ABC", (10, 1, 1))[0]
        name = f"{caller}{number}"
        callers[name] = caller
        here = [one for one, task in guests.tasks.items() if not task.done()]
        # B and C have at most two requests here: less than a third of the room.
        if caller == "A" or sum(callers[one] == caller for one in here) < 2:
            await guests.come(
                name,
                caller=caller,
                tokens=chance.randint(1, 30),
                outputs=chance.randint(1, 2),
                stage=chance.choice([None, None, None, None, Stage.MEDIA]),
            )
        here = [one for one, task in guests.tasks.items() if not task.done()]
        running = [one for one in here if one in guests.served]
        if running and chance.random() < 0.5:
            await guests.end(chance.choice(running))
        elif here and chance.random() < 0.3:
            await guests.leave(chance.choice(here))
        assert guests.admission.running <= 4
        assert guests.admission.waiting <= 4 + 12
        assert guests.admission._waiting_tokens <= 300
    assert {callers[name] for name in guests.refused} == {"A"}
    assert {callers[name] for name in guests.served} == {"A", "B", "C"}
