"""What requests say of tools and calls is checked as a whole, and harmless when it is taken."""

from __future__ import annotations

import json
import time

import pytest

from service.domain.conversation import Conversation, ReasoningPart, ToolCallPart, ToolResultPart
from service.domain.tools import Tool, ToolChoice, Tools
from service.errors import InvalidRequestError
from service.rpc.conversations import to_conversation, to_media
from service.rpc.requests import to_generation_request
from service.rpc.tools import to_tools
from service.rpc.violations import Violations
from triptych.v1 import conversation_pb2 as conversation_pb
from triptych.v1 import generation_service_pb2 as pb

USER, ASSISTANT = conversation_pb.ROLE_USER, conversation_pb.ROLE_ASSISTANT
TOOL = conversation_pb.ROLE_TOOL
SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}}'


def refused(violations: Violations) -> list[tuple[str, str]]:
    """Return what was found; nothing at all is no refusal."""
    try:
        violations.raise_if_any()
    except InvalidRequestError as refusal:
        return refusal.violations
    return []


def request(*tools: conversation_pb.Tool, **fields: object) -> pb.GenerateRequest:
    """Return a request with a conversation and these tools."""
    return pb.GenerateRequest(conversation=conversation_pb.Conversation(), tools=tools, **fields)


def tools_of(message: pb.GenerateRequest) -> Tools:
    violations = Violations()
    tools = to_tools(message, violations)
    assert refused(violations) == []
    return tools


def tool_problems(message: pb.GenerateRequest) -> list[tuple[str, str]]:
    violations = Violations()
    to_tools(message, violations)
    return refused(violations)


def converted(*messages: conversation_pb.Message) -> tuple[Conversation, list[tuple[str, str]]]:
    violations = Violations()
    conversation = to_conversation(conversation_pb.Conversation(messages=messages), violations)
    return conversation, refused(violations)


def said(role: int, *parts: conversation_pb.Part) -> conversation_pb.Message:
    return conversation_pb.Message(role=role, parts=parts)


def call(arguments: str = "", name: str = "f", call_id: str = "") -> conversation_pb.Part:
    return conversation_pb.Part(
        tool_call=conversation_pb.ToolCall(id=call_id, name=name, arguments=arguments)
    )


def result(text: str = "", name: str = "", call_id: str = "") -> conversation_pb.Part:
    return conversation_pb.Part(
        tool_result=conversation_pb.ToolResult(tool_call_id=call_id, name=name, text=text)
    )


def named(name: str, schema: str = "") -> conversation_pb.Tool:
    return conversation_pb.Tool(name=name, parameters_json_schema=schema)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice.AUTO),
        (conversation_pb.TOOL_CHOICE_MODE_UNSPECIFIED, ToolChoice.AUTO),
        (conversation_pb.TOOL_CHOICE_MODE_AUTO, ToolChoice.AUTO),
        (conversation_pb.TOOL_CHOICE_MODE_NONE, ToolChoice.NONE),
        (conversation_pb.TOOL_CHOICE_MODE_REQUIRED, ToolChoice.REQUIRED),
    ],
)
def test_tools_and_how_free_the_model_is(choice: int | None, expected: ToolChoice) -> None:
    message = request(
        conversation_pb.Tool(name="a.b-c_1", description="does", parameters_json_schema=SCHEMA),
        conversation_pb.Tool(name="bare"),
    )
    if choice is not None:
        message.tool_choice.mode = choice

    assert tools_of(message) == Tools((Tool("a.b-c_1", "does", SCHEMA), Tool("bare")), expected)


def test_a_tool_that_must_be_called_is_one_of_them() -> None:
    message = request(named("a"), named("b"))
    message.tool_choice.name = "b"
    assert tools_of(message) == Tools((Tool("a"), Tool("b")), ToolChoice.NAMED, "b")

    message.tool_choice.name = "c"
    assert tool_problems(message) == [
        ("tool_choice.name", "'c' is not the name of one of the tools")
    ]


def test_several_calls_may_be_made_unless_the_request_says_otherwise() -> None:
    message = request(named("a"))
    assert tools_of(message).parallel

    message.tool_choice.parallel = False
    assert tools_of(message) == Tools((Tool("a"),), parallel=False)


def test_the_model_is_told_of_no_tool_that_it_must_not_call() -> None:
    message = request(named("a"))
    assert tools_of(message).told == (Tool("a"),)

    message.tool_choice.mode = conversation_pb.TOOL_CHOICE_MODE_NONE
    assert tools_of(message).told == ()


def test_all_that_is_wrong_is_told_at_once() -> None:
    message = request(
        named(""),
        named("a b"),
        named("x" * 65),
        named("<|im_start|>system"),
        named("twice"),
        named("twice", "{"),
        named("list", "[]"),
        named("number", '{"maximum": NaN}'),
        named("huge", '{"maximum": 1e999}'),
        named("half", '{"description": "\\ud83d"}'),
    )
    message.tool_choice.mode = 7

    assert [
        "tools[0].name",
        "tools[1].name",
        "tools[2].name",
        "tools[3].name",
        "tools[5].name",
        "tools[5].parameters_json_schema",
        "tools[6].parameters_json_schema",
        "tools[7].parameters_json_schema",
        "tools[8].parameters_json_schema",
        "tools[9].parameters_json_schema",
        "tool_choice.mode",
    ] == [field for field, _ in tool_problems(message)]


def test_a_call_that_is_required_needs_a_tool() -> None:
    message = request()
    message.tool_choice.mode = conversation_pb.TOOL_CHOICE_MODE_REQUIRED
    assert [field for field, _ in tool_problems(message)] == ["tool_choice.mode"]


@pytest.mark.parametrize(
    "message",
    [
        pb.GenerateRequest(text="hello", tools=[named("a")]),
        pb.GenerateRequest(token_ids=pb.TokenIds(ids=[1]), tools=[named("a")]),
    ],
)
def test_tools_go_with_a_conversation(message: pb.GenerateRequest) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        to_generation_request(message)
    assert [field for field, _ in refusal.value.violations] == ["tools"]


def test_a_conversation_has_its_tools() -> None:
    message = request(named("f"))
    message.conversation.messages.append(said(USER, conversation_pb.Part(text="hi")))
    prompt = to_generation_request(message).prompt

    assert isinstance(prompt, Conversation)
    assert prompt.tools == Tools((Tool("f"),))


def test_tools_may_be_many_and_large_but_not_endless() -> None:
    most = [named(f"f{index}") for index in range(128)]
    assert len(tools_of(request(*most)).declared) == 128
    assert tool_problems(request(*most, named("f"))) == [
        ("tools", "must have at most 128 tools, got 129")
    ]
    large = conversation_pb.Tool(name="f", description="x" * (1 << 19))
    assert tool_problems(request(large, large, named("g", SCHEMA)))[0][0] == "tools"


@pytest.mark.parametrize(
    "text", ["[" * 5_000_000, '{"a":' * 1_000_000, "[" * 65 + "]" * 65, '"' + "\\" * 1_000_001]
)
def test_endless_json_is_refused_soon(text: str) -> None:
    """Its depth is counted before anything recursive goes through it."""
    started = time.process_time()
    _, problems = converted(said(ASSISTANT, call(text)))

    assert len(problems) == 1
    assert time.process_time() - started < 1


def test_ten_megabytes_of_arguments_are_refused() -> None:
    """Those of one call, and those of many together."""
    one = call(json.dumps({"text": "x" * 10_000_000}))
    many = [call(json.dumps({"text": "x" * 1_000_000}))] * 5

    for parts in ([one], many):
        conversation, problems = converted(said(ASSISTANT, *parts))
        assert [field for field, _ in problems] == ["conversation.messages"]
        assert conversation.messages == ()


def test_64_levels_and_brackets_in_strings_are_taken() -> None:
    deep = '{"a":' * 63 + '{"b\\"[[[": "{{{"}' + "}" * 63
    _, problems = converted(said(ASSISTANT, call(deep)))
    assert problems == []


def test_calls_results_and_thoughts_keep_their_order() -> None:
    conversation, problems = converted(
        said(
            ASSISTANT,
            conversation_pb.Part(reasoning="hm"),
            conversation_pb.Part(text="wait"),
            call('{"b": 1, "a": 2}', call_id="call 1"),
            call(),
        ),
        said(TOOL, result("12", "f", "call 1"), result("13")),
    )

    assert problems == []
    thoughts, _, first, second = conversation.messages[0].parts
    assert thoughts == ReasoningPart("hm")
    assert first == ToolCallPart("call 1", "f", '{"b": 1, "a": 2}')
    assert second == ToolCallPart("", "f", "{}")
    assert conversation.messages[1].parts == (
        ToolResultPart("call 1", "f", "12"),
        ToolResultPart("", "", "13"),
    )
    assert conversation.media_parts() == ()


def test_parts_need_a_message_of_their_role() -> None:
    """Every one that is wrong is named."""
    _, problems = converted(
        said(USER, call(), conversation_pb.Part(reasoning="hm"), result()),
        said(ASSISTANT, result()),
        said(TOOL, call(), conversation_pb.Part(text="12"), result()),
    )

    assert [
        ("conversation.messages[0].parts[0].tool_call", "needs a message of ROLE_ASSISTANT"),
        ("conversation.messages[0].parts[1].reasoning", "needs a message of ROLE_ASSISTANT"),
        ("conversation.messages[0].parts[2].tool_result", "needs a message of ROLE_TOOL"),
        ("conversation.messages[1].parts[0].tool_result", "needs a message of ROLE_TOOL"),
        ("conversation.messages[2].parts[0].tool_call", "needs a message of ROLE_ASSISTANT"),
        (
            "conversation.messages[2].parts[1].text",
            "a message of ROLE_TOOL has tool_result parts only",
        ),
    ] == problems


def test_a_message_has_one_place_for_thoughts() -> None:
    thoughts = conversation_pb.Part(reasoning="hm")
    _, problems = converted(said(ASSISTANT, thoughts, thoughts))
    assert [field for field, _ in problems] == ["conversation.messages[0].parts[1].reasoning"]


def test_what_is_wrong_in_calls_and_results_is_named() -> None:
    _, problems = converted(
        said(ASSISTANT, call("{", "", "x" * 257)), said(TOOL, result("", "a b", "x" * 257))
    )

    assert [
        "conversation.messages[0].parts[0].tool_call.name",
        "conversation.messages[0].parts[0].tool_call.id",
        "conversation.messages[0].parts[0].tool_call.arguments",
        "conversation.messages[1].parts[0].tool_result.name",
        "conversation.messages[1].parts[0].tool_result.tool_call_id",
    ] == [field for field, _ in problems]


def test_a_finished_prompt_has_no_calls_among_its_media() -> None:
    violations = Violations()
    parts = [call(), result(), conversation_pb.Part(reasoning="hm"), conversation_pb.Part(text="a")]

    assert to_media(parts, violations) == ()
    assert [field for field, _ in refused(violations)] == [
        "media[0].tool_call",
        "media[1].tool_result",
        "media[2].reasoning",
        "media[3].text",
    ]
