"""The way of a session: what is answered when, what is refused, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineData,
    MediaSource,
    Message,
    RemoteUrl,
    Role,
    TextPart,
    ToolResultPart,
)
from service.domain.events import Completed, Event, FinishReason, GenerationRequest, OutputFinished
from service.domain.limits import SessionLimits
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    PromptTooLongError,
    SessionLimitExceededError,
    ShuttingDownError,
)
from service.sessions.dialogue import Dialogue
from service.sessions.session import Session
from tests.fakes.fake_answers import FakeAnswers
from tests.fakes.fake_session_media import FakeSessionMedia

SYSTEM = Message(Role.SYSTEM, (TextPart("be brief"),))
QUESTION = Message(Role.USER, (TextPart("who?"),))
ANSWER = Message(Role.ASSISTANT, (TextPart("one two"),))


class Talk:
    """A session, what stands behind it, and what its client gets."""

    def __init__(self, *opening: Message, **limits: float) -> None:
        self.answers = FakeAnswers()
        self.web = FakeSessionMedia()
        self.media = self.web.open("", {})
        self.session = Session(SessionLimits(**limits))
        self.opening = GenerationRequest("", Conversation(opening))
        self.events: list[tuple[int, Event]] = []
        self.listening = asyncio.create_task(self._listen())

    @classmethod
    async def begin(cls, *opening: Message, **limits: float) -> Talk:
        """Open a session with messages, maybe none."""
        talk = cls(*opening, **limits)
        await talk.session.open(Dialogue(talk.opening, talk.answers.generate, talk.media))
        return talk

    async def say(self, text: str) -> None:
        """Say one text, and have it answered."""
        await self.session.add_part(TextPart(text), len(text))
        self.session.commit()

    async def end(self) -> list[tuple[int, Event]]:
        """Say no more; return all events when they have come."""
        self.session.finish()
        await self.listening
        return self.events

    async def hold(self) -> None:
        """Wait until an answer is held after its first word."""
        await self.answers.waits.wait()

    def asked(self, turn: int = -1) -> tuple[Message, ...]:
        """Return the conversation that a turn's request had."""
        return self.answers.requests[turn].prompt.messages

    def reasons(self) -> list[tuple[int, FinishReason]]:
        """Return how each turn's answer ended."""
        return [(turn, e.reason) for turn, e in self.events if isinstance(e, OutputFinished)]

    async def _listen(self) -> None:
        async for event in self.session.answers():
            self.events.append(event)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    talk = await Talk.begin()
    yield talk
    talk.listening.cancel()
    await asyncio.wait((talk.listening,))
    assert not talk.answers.running


def user(text: str) -> Message:
    return Message(Role.USER, (TextPart(text),))


def image(origin: InlineData | RemoteUrl, field: str = "an image") -> ImagePart:
    return ImagePart(field, MediaSource(origin))


def sound(data: bytes = b"") -> AudioPart:
    return AudioPart("a sound", MediaSource(InlineData(data)))


async def test_a_turn_is_answered_as_generate_answers(talk: Talk) -> None:
    await talk.say("hi")
    kinds = [(turn, type(event).__name__) for turn, event in await talk.end()]
    assert kinds == [
        (0, "Started"),
        (0, "TextDelta"),
        (0, "TextDelta"),
        (0, "OutputFinished"),
        (0, "Completed"),
    ]


async def test_the_next_turn_goes_on_with_the_conversation() -> None:
    talk = await Talk.begin(SYSTEM)
    await talk.say("hi")
    await talk.say("and then?")
    await talk.end()
    assert talk.asked(0) == (SYSTEM, user("hi"))
    assert talk.asked(1) == (SYSTEM, user("hi"), ANSWER, user("and then?"))
    assert talk.reasons() == [(0, FinishReason.STOP), (1, FinishReason.STOP)]


async def test_an_opening_that_asks_is_answered_without_a_part() -> None:
    talk = await Talk.begin(QUESTION)
    talk.session.commit()
    assert talk.session.part_path == "conversation.messages[2].parts[0]"
    await talk.say("and then?")
    await talk.end()
    assert talk.asked(0) == (QUESTION,)
    assert talk.asked(1) == (QUESTION, ANSWER, user("and then?"))


async def test_paths_of_parts_count_on() -> None:
    talk = await Talk.begin(SYSTEM)
    paths = [talk.session.part_path]
    await talk.session.add_part(TextPart("hi"), 2)
    paths.append(talk.session.part_path)
    talk.session.commit()
    paths.append(talk.session.part_path)
    await talk.end()
    assert paths == [
        "conversation.messages[1].parts[0]",
        "conversation.messages[1].parts[1]",
        "conversation.messages[3].parts[0]",
    ]


async def test_the_next_turn_may_be_said_and_committed_while_an_answer_runs(talk: Talk) -> None:
    """It waits for the answer, and has it in its conversation."""
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.hold()
    await talk.say("and then?")
    assert len(talk.answers.requests) == 1
    talk.answers.may_go_on.set()
    await talk.end()
    assert talk.asked(1) == (user("hi"), ANSWER, user("and then?"))


async def test_cancel_ends_the_answer_and_keeps_what_was_said(talk: Talk) -> None:
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.hold()
    talk.session.cancel()
    talk.session.cancel()  # once more changes nothing
    talk.answers.may_go_on.set()
    await talk.say("and then?")
    await talk.end()
    assert talk.reasons() == [(0, FinishReason.CANCELLED), (1, FinishReason.STOP)]
    spent = [
        event.usage.completion_tokens for _, event in talk.events if isinstance(event, Completed)
    ]
    assert spent == [1, 2]
    said = Message(Role.ASSISTANT, (TextPart("one "),))
    assert talk.asked(1) == (user("hi"), said, user("and then?"))


async def test_cancel_without_an_answer_has_no_effect(talk: Talk) -> None:
    talk.session.cancel()
    await talk.say("hi")
    await talk.end()
    assert talk.reasons() == [(0, FinishReason.STOP)]


async def test_an_answer_that_is_cancelled_before_it_started_has_only_an_end(talk: Talk) -> None:
    """Its prompt was being made. The conversation has an empty answer in its place."""
    talk.answers.may_start.clear()
    await talk.say("hi")
    await talk.answers.started.wait()
    talk.session.cancel()
    talk.answers.may_start.set()
    await talk.say("again")
    await talk.end()
    assert [type(event) for turn, event in talk.events if turn == 0] == [OutputFinished, Completed]
    assert talk.reasons() == [(0, FinishReason.CANCELLED), (1, FinishReason.STOP)]
    silence = Message(Role.ASSISTANT, (TextPart(""),))
    assert talk.asked(1) == (user("hi"), silence, user("again"))


async def test_cancel_gives_up_a_medium_that_does_not_come(talk: Talk) -> None:
    await talk.session.add_part(image(RemoteUrl("http://slow")), 20)
    talk.session.commit()
    await talk.web.asked.wait()
    talk.session.cancel()
    await talk.end()
    assert talk.reasons() == [(0, FinishReason.CANCELLED)]
    assert not talk.answers.requests


async def test_media_are_got_once(talk: Talk) -> None:
    """Those of the opening too, when they are needed first."""
    talk.web.web |= {"http://a": b"a", "http://b": b"b"}
    await talk.session.add_part(image(RemoteUrl("http://a")), 20)
    await talk.session.add_part(image(RemoteUrl("http://b")), 20)
    talk.session.commit()
    await talk.say("and then?")
    await talk.end()
    assert sorted(talk.web.fetched) == ["http://a", "http://b"]
    sources = [part.source.origin for part in talk.asked(1)[0].parts]
    assert sources == [InlineData(b"a"), InlineData(b"b")]


async def test_media_that_are_sent_count_from_their_arrival() -> None:
    """In the opening as in a turn; others when they are got."""
    shown = (image(InlineData(b"x" * 60)), image(RemoteUrl("http://a")))
    talk = await Talk.begin(Message(Role.USER, shown))
    await talk.session.add_part(image(InlineData(b"y" * 30)), 0)
    assert talk.media.size_bytes == 90
    with pytest.raises(LimitExceededError):
        await talk.session.add_part(image(InlineData(b"z" * 11)), 0)
    talk.listening.cancel()


async def test_a_medium_that_cannot_be_got_ends_the_session(talk: Talk) -> None:
    talk.web.web["http://large"] = b"x" * 101
    await talk.session.add_part(image(RemoteUrl("http://large"), "the large one"), 0)
    talk.session.commit()
    with pytest.raises(LimitExceededError) as refusal:
        await talk.listening
    assert refusal.value.violations[0][0] == "the large one"


async def test_a_part_may_come_in_pieces(talk: Talk) -> None:
    talk.session.begin_part(sound(b"one"), 10)
    talk.session.add_chunk(b" two")
    talk.session.add_chunk(b" three")
    talk.session.end_part()
    await talk.say("what is it?")
    await talk.end()
    assert talk.asked()[0].parts == (sound(b"one two three"), TextPart("what is it?"))


async def test_a_turn_may_be_what_tools_gave(talk: Talk) -> None:
    results = (ToolResultPart("1", "clock", "12:00"), ToolResultPart("2", "clock", "13:00"))
    for result in results:
        await talk.session.add_part(result, 10)
    with pytest.raises(InvalidRequestError, match="tool results only") as refusal:
        await part(talk.session)
    assert refusal.value.violations[0][0] == "part"
    with pytest.raises(InvalidRequestError, match="tool results only") as refusal:
        await begin(talk.session)
    assert refusal.value.violations[0][0] == "begin_part"
    talk.session.commit()
    await talk.end()
    assert talk.asked() == (Message(Role.TOOL, results),)


async def begin(session: Session) -> None:
    session.begin_part(sound(), 0)


async def part(session: Session) -> None:
    await session.add_part(TextPart("hi"), 2)


async def chunk(session: Session) -> None:
    session.add_chunk(b"x")


async def end_part(session: Session) -> None:
    session.end_part()


async def commit(session: Session) -> None:
    session.commit()


async def cancel(session: Session) -> None:
    session.cancel()


async def config(session: Session) -> None:
    request = GenerationRequest("", Conversation(()))
    await session.open(Dialogue(request, FakeAnswers().generate, FakeSessionMedia().open("", {})))


Say = Callable[[Session], Awaitable[None]]


@pytest.mark.parametrize(
    ("before", "wrong", "field"),
    [
        ((), chunk, "chunk"),
        ((), end_part, "end_part"),
        ((), commit, "commit"),
        ((), config, "config"),
        ((part, commit), commit, "commit"),
        ((begin,), part, "part"),
        ((begin,), begin, "begin_part"),
        ((begin,), commit, "commit"),
        ((begin,), end_part, "a sound"),  # without a byte
        ((begin, chunk, end_part), chunk, "chunk"),
        ((begin, chunk, end_part), end_part, "end_part"),
    ],
)
async def test_what_is_out_of_order_is_refused_by_its_name(
    talk: Talk, before: tuple[Say, ...], wrong: Say, field: str
) -> None:
    for message in before:
        await message(talk.session)
    with pytest.raises(InvalidRequestError) as refusal:
        await wrong(talk.session)
    assert refusal.value.violations[0][0] == field


@pytest.mark.parametrize("message", [part, begin, chunk, end_part, commit, cancel])
async def test_nothing_comes_before_the_config(message: Say) -> None:
    session = Session(SessionLimits())
    with pytest.raises(InvalidRequestError, match="before config"):
        await message(session)


async def test_a_system_message_asks_nothing() -> None:
    talk = await Talk.begin(SYSTEM)
    with pytest.raises(InvalidRequestError, match="nothing to answer"):
        talk.session.commit()
    await talk.end()


@pytest.mark.parametrize(
    ("before", "field"), [((part,), "commit"), ((begin,), "end_part"), ((begin, chunk), "end_part")]
)
async def test_a_client_that_leaves_in_the_middle_of_a_turn_is_told(
    talk: Talk, before: tuple[Say, ...], field: str
) -> None:
    """After the answers of the turns that it did commit."""
    await talk.say("hi")
    for message in before:
        await message(talk.session)
    with pytest.raises(InvalidRequestError) as refusal:
        await talk.end()
    assert refusal.value.violations[0][0] == field
    assert talk.reasons() == [(0, FinishReason.STOP)]


async def test_a_client_that_leaves_before_the_config_is_told() -> None:
    session = Session(SessionLimits())
    session.finish()
    with pytest.raises(InvalidRequestError) as refusal:
        await anext(session.answers())
    assert refusal.value.violations[0][0] == "config"


async def test_a_client_that_leaves_gets_the_answers_of_all_its_turns(talk: Talk) -> None:
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.say("and then?")
    await talk.hold()
    talk.session.finish()
    talk.answers.may_go_on.set()
    await talk.listening
    assert talk.reasons() == [(0, FinishReason.STOP), (1, FinishReason.STOP)]


async def test_a_mistake_ends_a_running_answer_at_once(talk: Talk) -> None:
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.hold()
    mistake = InvalidRequestError("chunk", "belongs to no part")
    talk.session.fail(mistake)
    talk.session.fail(InvalidRequestError("commit", "a later one"))
    with pytest.raises(InvalidRequestError) as refusal:
        await talk.listening
    assert refusal.value is mistake
    assert talk.reasons() == []
    assert not talk.answers.running


async def test_a_mistake_ends_a_session_that_waits(talk: Talk) -> None:
    await asyncio.sleep(0)
    talk.session.fail(InvalidRequestError("chunk", "belongs to no part"))
    with pytest.raises(InvalidRequestError):
        await talk.listening


async def test_a_turn_that_fails_ends_the_session() -> None:
    async def refuse(request: GenerationRequest) -> AsyncIterator[Event]:
        raise PromptTooLongError("prompt", "max_model_tokens", 10, 11)
        yield

    session = Session(SessionLimits())
    request = GenerationRequest("", Conversation(()))
    await session.open(Dialogue(request, refuse, FakeSessionMedia().open("", {})))
    await part(session)
    session.commit()
    with pytest.raises(PromptTooLongError):
        await anext(session.answers())


async def test_closing_the_answers_stops_the_one_that_runs() -> None:
    talk = await Talk.begin()
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.hold()
    talk.listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talk.listening
    assert not talk.answers.running


async def test_a_session_that_is_idle_for_too_long_ends() -> None:
    talk = await Talk.begin(idle_s=0.01)
    with pytest.raises(SessionLimitExceededError) as refusal:
        await talk.listening
    assert refusal.value.metadata == {"limit": "session_idle_seconds", "limit_value": "0.01"}


async def test_nobody_waits_for_a_config_that_does_not_come() -> None:
    session = Session(SessionLimits(idle_s=0.01))
    with pytest.raises(SessionLimitExceededError):
        await anext(session.answers())


async def test_a_session_whose_answer_runs_is_not_idle() -> None:
    """Its time begins when the answer has ended."""
    talk = await Talk.begin(idle_s=0.01)
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.hold()
    await _pass(0.05)
    talk.answers.may_go_on.set()
    with pytest.raises(SessionLimitExceededError):
        await talk.listening
    assert talk.reasons() == [(0, FinishReason.STOP)]


async def test_a_message_keeps_a_session_from_being_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by the clock that the session asks: each message is late, but none too late."""
    clock = [0.0]
    monkeypatch.setattr("service.sessions.session._now", lambda: clock[0])
    session = Session(SessionLimits(idle_s=300))
    await config(session)
    for message in (part, part, cancel):
        clock[0] += 299
        session._reject_late()
        await message(session)
    clock[0] += 300
    with pytest.raises(SessionLimitExceededError):
        session._reject_late()


async def test_the_total_limit_lets_the_answer_that_runs_end() -> None:
    """What was committed behind it is not begun."""
    talk = await Talk.begin(total_s=0.01)
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.say("and then?")
    await talk.hold()
    await _pass(0.05)
    talk.answers.may_go_on.set()
    with pytest.raises(SessionLimitExceededError) as refusal:
        await talk.listening
    assert refusal.value.metadata["limit"] == "session_seconds"
    assert talk.reasons() == [(0, FinishReason.STOP)]


async def test_a_server_that_stops_ends_a_session_without_an_answer_at_once(talk: Talk) -> None:
    await part(talk.session)
    talk.session.drain()
    with pytest.raises(ShuttingDownError):
        await talk.listening


async def test_a_server_that_stops_lets_the_answer_that_runs_end(talk: Talk) -> None:
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.hold()
    await talk.say("and then?")
    talk.session.drain()
    talk.answers.may_go_on.set()
    with pytest.raises(ShuttingDownError):
        await talk.listening
    assert talk.reasons() == [(0, FinishReason.STOP)]


async def test_a_client_that_has_all_its_answers_is_not_told_of_the_stop(talk: Talk) -> None:
    talk.answers.may_go_on.clear()
    await talk.say("hi")
    await talk.hold()
    talk.session.finish()
    talk.session.drain()
    talk.answers.may_go_on.set()
    await talk.listening


@pytest.mark.parametrize(
    ("limits", "limit"),
    [({"parts": 3}, "session_parts"), ({"text_bytes": 5}, "session_text_bytes")],
)
async def test_all_that_is_said_is_bounded_over_all_turns(
    limits: dict[str, int], limit: str
) -> None:
    """Of three parts one is the answer."""
    talk = await Talk.begin(**limits)
    await talk.say("hi")
    await part(talk.session)
    with pytest.raises(LimitExceededError) as refusal:
        await part(talk.session)
    assert refusal.value.metadata["limit"] == limit
    talk.listening.cancel()


async def _pass(seconds: float) -> None:
    """Let the loop's clock go on."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over
