"""Tools, structured output and log probabilities in the clients, without a connection."""

from __future__ import annotations

import pytest

from triptych.v1 import conversation_pb2, generation_service_pb2
from triptych_client import (
    Message,
    PromptLogprobs,
    ReasoningDelta,
    TokenLogprob,
    TokenLogprobs,
    Tool,
    ToolCall,
    ToolResult,
)
from triptych_client._requests import build_generate_request
from triptych_client._results import AnswerReader, answer_from_proto, event_from_proto

WEATHER = Tool("weather", "Tells the weather.", {"type": "object"})


def test_tools_and_what_came_of_them_are_sent() -> None:
    history = [
        Message("user", "Is it cold?"),
        Message("assistant", ToolCall("weather", '{"town": "Oslo"}', "call-1")),
        Message("tool", ToolResult("-4", "call-1", "weather")),
    ]
    request = build_generate_request(history, {"tools": [WEATHER], "tool_choice": "required"})

    assert request.tools[0].parameters_json_schema == '{"type": "object"}'
    assert request.tool_choice.mode == conversation_pb2.TOOL_CHOICE_MODE_REQUIRED
    _, call, result = request.conversation.messages
    assert call.parts[0].tool_call.arguments == '{"town": "Oslo"}'
    assert result.role == conversation_pb2.ROLE_TOOL
    assert result.parts[0].tool_result.tool_call_id == "call-1"


def test_a_tool_is_chosen_by_its_name() -> None:
    request = build_generate_request("hi", {"tools": [WEATHER], "tool_choice": "weather"})
    assert request.tool_choice.name == "weather"


def test_one_call_at_most_can_be_asked_for() -> None:
    options = {"tools": [WEATHER], "tool_choice": "auto", "parallel_tool_calls": False}
    request = build_generate_request("hi", options)
    assert request.tool_choice.HasField("parallel")
    assert not request.tool_choice.parallel


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"json_schema": {"type": "null"}}, 'json_schema: "{\\"type\\": \\"null\\"}"'),
        ({"json_schema": "{}"}, 'json_schema: "{}"'),
        ({"json_object": True}, "json_object: true"),
        ({"regex": "a+"}, 'regex: "a+"'),
        ({"choice": ["a", "b"]}, 'texts: "a"'),
        ({"grammar": "root ::= x"}, 'grammar: "root ::= x"'),
    ],
)
def test_the_form_of_an_answer_is_sent(options: dict[str, object], sent: str) -> None:
    assert sent in str(build_generate_request("hi", options).structured_output)


def test_an_answer_has_one_form() -> None:
    with pytest.raises(TypeError, match="json_object and regex"):
        build_generate_request("hi", {"json_object": True, "regex": "a"})


def test_thoughts_calls_and_probabilities_are_put_together() -> None:
    response = generation_service_pb2.GenerateResponse
    place = generation_service_pb2.TokenLogprobs(
        chosen=generation_service_pb2.TokenLogprob(token_id=5, text="a", logprob=-0.5, rank=1)
    )
    reader = AnswerReader()
    for event in (
        response(prompt_logprobs={"first_position": 1, "tokens": [place]}),
        response(reasoning_delta={"text": "Let me "}),
        response(reasoning_delta={"text": "see."}),
        response(text_delta={"text": "Yes.", "logprobs": [place]}),
        response(tool_call_delta={"id": "1", "name": "weather", "arguments": '{"a"'}),
        response(tool_call_delta={"arguments": ": 1}"}),
        response(output_finished={"stop_string": "END"}),
        response(completed={}),
    ):
        reader._read(event)

    (output,) = reader.outputs
    assert (output.text, output.reasoning, output.stop_string) == ("Yes.", "Let me see.", "END")
    assert output.tool_calls == (ToolCall("weather", '{"a": 1}', "1"),)
    assert output.logprobs == (TokenLogprobs(TokenLogprob(5, "a", -0.5, 1), ()),)


def test_events_of_a_newer_server_are_passed_over() -> None:
    assert event_from_proto(generation_service_pb2.GenerateResponse()) is None


def test_a_whole_answer_has_the_same() -> None:
    answer = answer_from_proto(
        generation_service_pb2.GenerateUnaryResponse(
            outputs=[{"text": "x", "reasoning": "y", "tool_calls": [{"name": "weather"}]}]
        )
    )
    assert answer.outputs[0].reasoning == "y"
    assert answer.outputs[0].tool_calls == (ToolCall("weather"),)


def test_kinds_of_events_are_told_apart() -> None:
    response = generation_service_pb2.GenerateResponse
    thought = event_from_proto(response(reasoning_delta={"output_index": 1, "text": "x"}))
    assert thought == ReasoningDelta(1, "x")
    told = event_from_proto(response(prompt_logprobs={"first_position": 3}))
    assert told == PromptLogprobs(3, ())
