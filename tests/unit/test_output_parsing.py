"""Where parsers run, thoughts, text and calls are events of their own, and nothing is lost."""

from __future__ import annotations

import dataclasses

import pytest

from service.domain.conversation import Conversation, Message, RawText, Role, TextPart
from service.domain.ending import Ending
from service.domain.events import (
    Completed,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    TokenLogprobs,
    ToolCallDelta,
)
from service.domain.parsed import ReasoningStart
from service.domain.sampling import Sampling
from service.domain.tools import Tool, ToolChoice, Tools
from service.errors import InvalidRequestError
from service.output_parsing import OutputParsing
from service.rpc.responses import from_event, join
from tests.fakes.fake_parsers import FakeParsers, FakeParsingPlan
from tests.fakes.fake_way import FakeWay

TOOLS = Tools((Tool("f"),))


def asked(
    text: str = "hi", tools: Tools = TOOLS, *, include_token_ids: bool = False, **sampling: object
) -> GenerationRequest:
    return GenerationRequest(
        "",
        Conversation((Message(Role.USER, (TextPart(text),)),), tools),
        Sampling(**sampling),
        include_token_ids=include_token_ids,
    )


@pytest.fixture
def parsers() -> FakeParsers:
    return FakeParsers()


@pytest.fixture
def way(parsers: FakeParsers) -> FakeWay:
    way = FakeWay()
    way.generator = dataclasses.replace(way.generator, parsers=parsers)
    way.engine.steps = [b"(hm", b")so<a", b"b>", b"<c>!"]
    return way


async def answered(way: FakeWay, request: GenerationRequest) -> list[Event]:
    return [event async for event in way.generator.generate(request)][1:]


async def test_thoughts_text_and_calls_are_events_of_their_own(way: FakeWay) -> None:
    *events, completed = await answered(way, asked())

    assert events == [
        ReasoningDelta(0, "hm"),
        TextDelta(0, "so"),
        ToolCallDelta(0, 0, "call 0", "f"),
        ToolCallDelta(0, 0, arguments="a"),
        ToolCallDelta(0, 0, arguments="b"),
        TextDelta(0, "!"),
        ToolCallDelta(0, 1, "call 1", "f"),
        ToolCallDelta(0, 1, arguments="c"),
        OutputFinished(0, FinishReason.STOP),
    ]
    assert isinstance(completed, Completed)
    assert completed.usage.reasoning_tokens == 2


async def test_each_id_is_told_once(way: FakeWay) -> None:
    """With thoughts where there are some, else with a text that may be empty."""
    way.engine.steps = [b"(h)s", b"<a", b"b", b">"]
    events = await answered(way, asked(include_token_ids=True))

    ids = [(type(one), one.token_ids) for one in events if hasattr(one, "token_ids")]
    assert ids == [
        (ReasoningDelta, tuple(b"(h)s")),
        (TextDelta, ()),
        (TextDelta, tuple(b"<a")),
        (TextDelta, tuple(b"b")),
        (TextDelta, tuple(b">")),
        (TextDelta, (0,)),
    ]


async def test_joined_it_is_one_answer(way: FakeWay) -> None:
    events = await answered(way, asked(include_token_ids=True, n=2))
    one, other = join(map(from_event, events)).outputs

    assert one == type(one)(
        text="so!",
        reasoning="hm",
        token_ids=[*b"(hm)so<ab><c>!", 0],
        finished=one.finished,
        tool_calls=[
            {"id": "call 0", "name": "f", "arguments": "ab"},
            {"id": "call 1", "name": "f", "arguments": "c"},
        ],
    )
    assert other.tool_calls == one.tool_calls
    assert other.finished.output_index == 1
    completed = join(map(from_event, events)).completed
    assert completed.usage.reasoning_tokens == 4


async def test_a_parser_gets_the_prompt_all_ids_and_the_end(
    way: FakeWay, parsers: FakeParsers
) -> None:
    """An id that ends the answer has no text."""
    way.engine.steps = [b"a", b"\xc3", b"\xa9"]
    await answered(way, asked(n=2))
    (plan,) = parsers.plans

    for parser in plan.opened:
        assert parser.prompt_token_ids == list(b"user:hi")
        assert parser.given == [
            ("a", (97,), False),
            ("", (0xC3,), False),
            ("é", (0xA9,), False),
            ("", (0,), True),
        ]


async def test_a_parser_learns_of_an_early_end(way: FakeWay, parsers: FakeParsers) -> None:
    """Of a stop string, and of what the client ends; what was held back is given then."""
    way.engine.steps = [b"(no", b"n END", b" more"]
    await answered(way, asked(stop=("END",)))
    assert parsers.plans[0].opened[0].given[-1] == ("n ", tuple(b"n END"), True)

    way.engine.steps = [b"(no EN"]
    way.engine.hold.clear()
    request = dataclasses.replace(asked(stop=("END",)), ending=Ending())
    events = []
    async for event in way.generator.generate(request):
        events.append(event)
        if isinstance(event, ReasoningDelta):
            request.ending.end(FinishReason.CANCELLED)
    assert parsers.plans[1].opened[0].given[-1] == ("EN", (), True)
    assert events[-3:-1] == [
        ReasoningDelta(0, "EN"),
        OutputFinished(0, FinishReason.CANCELLED),
    ]


async def test_the_engine_gets_what_the_parsers_make_of_the_request(way: FakeWay) -> None:
    """And it learns whether the prompt's thoughts have ended."""
    await answered(way, asked("hi."))
    await answered(way, asked("hi", Tools((Tool("f"),), ToolChoice.REQUIRED)))
    (free, ended), (forced, open_) = way.engine.asked

    assert free == Sampling(skip_special_tokens=False)
    assert forced.structured_output is not None
    assert way.structures.asked == [forced.structured_output]
    assert ended == ReasoningStart(True, {"told": True})
    assert open_ == ReasoningStart(False, {"told": True})


async def test_tools_of_which_nothing_can_be_made_are_refused(
    way: FakeWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tools: the caller knows of no structured output."""

    async def refuse(wanted: object) -> None:
        raise InvalidRequestError("structured_output.structural_tag", "cannot be used: no")

    monkeypatch.setattr(way.structures, "check", refuse)
    with pytest.raises(InvalidRequestError) as refusal:
        await answered(way, asked("hi", Tools((Tool("f"),), ToolChoice.REQUIRED)))
    assert refusal.value.violations == [
        ("tools", "have a schema that no call can be held to: cannot be used: no")
    ]
    assert way.engine.asked == []


@pytest.mark.parametrize("parsers", [None, FakeParsers(know_tools=False)])
async def test_tools_need_a_parser(parsers: FakeParsers | None) -> None:
    """Not those that the model is not told of."""
    way = FakeWay()
    way.generator = dataclasses.replace(way.generator, parsers=parsers)
    with pytest.raises(InvalidRequestError, match=r"^tools: need a server with --tool"):
        await answered(way, asked())

    events = await answered(way, asked("hi", Tools((Tool("f"),), ToolChoice.NONE)))
    assert events[0] == TextDelta(0, "He")


async def test_the_answer_to_a_finished_prompt_is_text(way: FakeWay, parsers: FakeParsers) -> None:
    events = await answered(way, GenerationRequest("", RawText("hi")))

    assert "".join(one.text for one in events if isinstance(one, TextDelta)) == "(hm)so<ab><c>!"
    assert parsers.plans == []
    assert way.engine.asked == [(Sampling(), None)]


def test_log_probabilities_go_with_their_ids() -> None:
    place = TokenLogprobs(TokenLogprob(1, -0.5, 1), ())
    parsing = OutputParsing(FakeParsingPlan(Sampling()), [1], 1)
    thought = parsing.parse(TextDelta(0, "(a)b", (1,), (place,)), (1,), is_last=False)
    called = parsing.parse(TextDelta(0, "<", (2,), (place,)), (2,), is_last=False)

    assert thought == [ReasoningDelta(0, "a", (1,), (place,)), TextDelta(0, "b")]
    assert called == [TextDelta(0, "", (2,), (place,)), ToolCallDelta(0, 0, "call 0", "f")]
