"""Sessions of both clients, with our own server and fakes behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.domain.limits import SessionLimits
from tests.unit.rpc.test_converse import Hall
from triptych_client import (
    AsyncClient,
    Audio,
    Client,
    FinishReason,
    InvalidRequestError,
    Message,
    SessionEndedError,
)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    hall = Hall(tmp_path)
    await hall.start()
    yield hall
    await hall.server.stop(0)
    assert not hall.answers.running


def roles(hall: Hall) -> list[str]:
    """Return who speaks in the conversation of the last request."""
    return [message.role for message in hall.answers.requests[-1].prompt.messages]


async def test_turns_follow_each_other(hall: Hall) -> None:
    history = [Message("user", "who?"), Message("assistant", "I")]
    async with (
        AsyncClient(hall.address) as client,
        client.converse(history, system="be brief", max_tokens=5) as session,
    ):
        texts = [await session.say(words).text() for words in ("hi", "and?")]

    assert texts == ["one two", "one two"]
    assert roles(hall) == ["system", *["user", "assistant"] * 2, "user"]
    assert hall.answers.requests[-1].sampling.max_tokens == 5


async def test_turns_follow_each_other_in_plain_code(hall: Hall) -> None:
    def talk() -> list[str]:
        with Client(hall.address) as client, client.converse() as session:
            return [session.say(words).text() for words in ("hi", "and?")]

    assert await asyncio.to_thread(talk) == ["one two", "one two"]
    assert roles(hall) == ["user", "assistant", "user"]


async def test_what_was_not_read_of_an_answer_is_skipped(hall: Hall) -> None:
    async with AsyncClient(hall.address) as client, client.converse() as session:
        async for _ in session.say("hi"):
            break
        assert await session.say("and?").text() == "one two"


async def test_cancel_ends_an_answer_and_not_the_session(hall: Hall) -> None:
    hall.answers.may_go_on.clear()
    async with AsyncClient(hall.address) as client, client.converse() as session:
        generation = session.say("hi")
        pieces = aiter(generation)
        said = [await anext(pieces)]
        generation.cancel()
        said += [piece async for piece in pieces]
        hall.answers.may_go_on.set()
        text = await session.say("and?").text()

    assert said == ["one "]
    assert generation.finish_reason is FinishReason.CANCELLED
    assert generation.usage.completion_tokens == 1
    assert text == "one two"


async def test_cancel_ends_an_answer_in_plain_code(hall: Hall) -> None:
    hall.answers.may_go_on.clear()

    def talk() -> tuple[list[str], FinishReason]:
        with Client(hall.address) as client, client.converse() as session:
            generation = session.say("hi")
            pieces = iter(generation)
            said = [next(pieces)]
            generation.cancel()
            return [*said, *pieces], generation.finish_reason

    assert await asyncio.to_thread(talk) == (["one "], FinishReason.CANCELLED)


async def _moments() -> AsyncIterator[bytes]:
    for piece in (b"one", b"two"):
        yield piece


async def test_a_sound_may_be_sent_while_it_is_recorded(hall: Hall) -> None:
    hall.use_the_engine()
    async with AsyncClient(hall.address) as client, client.converse() as session:
        await session.record(Audio(data=b""), _moments())
        generation = session.say("what?")
        await generation.text()

    assert [part.field for part in generation.started.parts] == [
        "conversation.messages[0].parts[0].audio"
    ]
    ((_, (prepared,)),) = hall.way.engine.prompts
    assert prepared.item == b"onetwo"


async def test_a_sound_may_be_sent_while_it_is_recorded_in_plain_code(hall: Hall) -> None:
    hall.use_the_engine()

    def talk() -> None:
        with Client(hall.address) as client, client.converse() as session:
            session.record(Audio(data=b""), [b"one", b"two"])
            session.say("what?").text()

    await asyncio.to_thread(talk)
    ((_, (prepared,)),) = hall.way.engine.prompts
    assert prepared.item == b"onetwo"


async def test_a_session_that_the_server_ends_says_so(tmp_path: Path) -> None:
    hall = Hall(tmp_path, SessionLimits(idle_s=0.01))
    await hall.start()
    async with AsyncClient(hall.address) as client, client.converse() as session:
        await session._call.code()  # it has ended
        with pytest.raises(SessionEndedError) as ended:
            await session.say("hi").text()
    await hall.server.stop(0)
    assert ended.value.metadata["limit"] == "session_idle_seconds"


async def test_a_mistake_is_told_where_the_answer_is_read(hall: Hall) -> None:
    async with AsyncClient(hall.address) as client, client.converse() as session:
        with pytest.raises(InvalidRequestError) as refusal:
            await session.say().text()
    assert refusal.value.field == "commit"
