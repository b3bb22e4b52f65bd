"""An answer that is ended early: its events are complete, and the engine is free at once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from service.domain.conversation import Conversation, Message, Role, TextPart
from service.domain.ending import Ending
from service.domain.events import (
    Completed,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    Started,
    TextDelta,
)
from service.domain.sampling import Sampling
from tests.fakes.fake_way import FakeWay
from tests.unit.media.open_media import until


def ask(ending: Ending, **sampling: Any) -> GenerationRequest:
    conversation = Conversation((Message(Role.USER, (TextPart("hi"),)),))
    return GenerationRequest("", conversation, sampling=Sampling(**sampling), ending=ending)


async def answer(
    way: FakeWay, request: GenerationRequest, *, end_after: type[Event] | None = None
) -> list[Event]:
    """Return all events; the answer is told to end, cancelled, when the first of a kind comes."""
    events: list[Event] = []
    async with aclosing(way.generator.generate(request)) as stream:
        async for event in stream:
            events.append(event)
            if end_after is not None and isinstance(event, end_after):
                request.ending.end(FinishReason.CANCELLED)
    return events


async def test_an_answer_that_nobody_ends_is_whole() -> None:
    events = await answer(FakeWay(), ask(Ending()))
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["He", "llo"]
    assert events[-2].reason is FinishReason.STOP


async def test_the_end_comes_in_the_middle_of_a_step() -> None:
    """The engine is stopped where it waits; what was said and its usage are told."""
    way, ending = FakeWay(), Ending()
    way.engine.hold.clear()  # nothing comes after the first step
    answering = asyncio.create_task(answer(way, ask(ending)))
    await until(lambda: bool(way.engine.hold._waiters))
    ending.end(FinishReason.CANCELLED)
    events = await answering
    assert not way.engine.running
    assert [type(event) for event in events] == [Started, TextDelta, OutputFinished, Completed]
    assert events[2].reason is FinishReason.CANCELLED
    assert events[3].usage.completion_tokens == 2


async def test_what_was_held_back_is_told_too() -> None:
    """What could have become a stop string at the end of what came; but not half a character."""
    way, ending = FakeWay(), Ending()
    way.engine.steps = [b"Hi\xc3", b"\xa9"]
    way.engine.hold.clear()
    events = await answer(way, ask(ending, stop=("i!",)), end_after=TextDelta)
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["H", "i"]


async def test_only_outputs_that_run_end_early() -> None:
    way, ending = FakeWay(), Ending()
    events = await answer(way, ask(ending, n=2), end_after=OutputFinished)
    finished = [e for e in events if isinstance(e, OutputFinished)]
    assert [(e.output_index, e.reason) for e in finished] == [
        (0, FinishReason.STOP),
        (1, FinishReason.CANCELLED),
    ]
    assert isinstance(events[-1], Completed)


async def test_an_end_before_the_engine_began_gives_no_text() -> None:
    way, ending = FakeWay(), Ending()
    events = await answer(way, ask(ending), end_after=Started)
    assert [type(event) for event in events] == [Started, OutputFinished, Completed]
    assert not way.engine.running


async def test_an_end_after_the_end_changes_nothing() -> None:
    events = await answer(FakeWay(), ask(Ending()), end_after=OutputFinished)
    assert [e.reason for e in events if isinstance(e, OutputFinished)] == [FinishReason.STOP]
