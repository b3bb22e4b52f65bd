"""An answer that is ended early: what waits is cancelled, once, and only for that."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.ending import Ending
from service.domain.events import FinishReason


async def give(value: str) -> str:
    return value


class Wait:
    """Waits for ever, and remembers how that ended."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.was_cancelled = False

    async def run(self) -> None:
        self.has_begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def test_what_is_not_ended_gives_its_result_or_its_error() -> None:
    async def fail() -> None:
        raise ValueError("no")

    ending = Ending()
    assert await ending.unless_ended(give("a")) == "a"
    with pytest.raises(ValueError, match="no"):
        await ending.unless_ended(fail())
    assert ending.reason is None


async def test_the_end_cancels_what_waits() -> None:
    ending, wait = Ending(), Wait()
    waiting = asyncio.create_task(ending.unless_ended(wait.run()))
    await wait.has_begun.wait()
    ending.end(FinishReason.LENGTH)
    assert await waiting is None
    assert wait.was_cancelled


async def test_the_first_reason_counts() -> None:
    ending = Ending()
    ending.end(FinishReason.LENGTH)
    ending.end(FinishReason.ABORTED)
    assert ending.reason is FinishReason.LENGTH


async def test_after_the_end_nothing_is_waited_for() -> None:
    ending = Ending()
    ending.end(FinishReason.LENGTH)
    assert await ending.unless_ended(give("a")) is None


async def test_cancelling_the_one_who_waits_is_no_end() -> None:
    """It goes through to what waits, and comes back as the cancellation that it is."""
    ending, wait = Ending(), Wait()
    waiting = asyncio.create_task(ending.unless_ended(wait.run()))
    await wait.has_begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert wait.was_cancelled


async def test_cancelled_and_ended_at_once_is_cancelled() -> None:
    ending, wait = Ending(), Wait()
    waiting = asyncio.create_task(ending.unless_ended(wait.run()))
    await wait.has_begun.wait()
    ending.end(FinishReason.LENGTH)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancellation_from_inside_is_no_end() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Ending().unless_ended(cancelled())
