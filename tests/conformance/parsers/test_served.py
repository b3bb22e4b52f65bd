"""Tools end to end: a checkpoint of random weights, which knows no JSON, must make valid calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.conformance.formats.families import CHECKPOINTS
from tests.conformance.formats.weights import write_weights
from tests.end_to_end.grpcurl_page import check, examples
from tests.end_to_end.requests import Refusal
from tests.real.running_model import serving_address
from triptych.v1 import conversation_pb2 as conversation_pb
from triptych.v1 import generation_service_pb2 as pb
from triptych.v1 import generation_service_pb2_grpc, sampling_pb2

# The first test waits for the server too; a machine that others use needs minutes.
pytestmark = pytest.mark.timeout(900)

CITIES = ["Nice", "Köln", '"']
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"enum": CITIES},
        "days": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOLS = [
    conversation_pb.Tool(
        name="get_weather",
        description="Tells the weather.",
        parameters_json_schema=json.dumps(SCHEMA),
    ),
    conversation_pb.Tool(
        name="clock",
        parameters_json_schema=json.dumps({"type": "object", "additionalProperties": False}),
    ),
]
REQUIRED = conversation_pb.ToolChoice(mode=conversation_pb.TOOL_CHOICE_MODE_REQUIRED)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("tools")
    checkpoint = CHECKPOINTS["hermes-tools"]
    checkpoint.make(directory)
    write_weights(directory)
    flags = (*checkpoint.engine_flags(), "--tool-call-parser", "hermes")
    with serving_address(directory, *flags) as address:
        yield address


@pytest.fixture(scope="module")
def generation(address: str) -> Iterator[Any]:
    with grpc.insecure_channel(address) as channel:
        yield generation_service_pb2_grpc.GenerationServiceStub(channel)


def _asked(choice: conversation_pb.ToolChoice | None = None, **sampling: Any) -> pb.GenerateRequest:
    part = conversation_pb.Part(text="What is the weather in Köln?")
    message = conversation_pb.Message(role=conversation_pb.ROLE_USER, parts=[part])
    return pb.GenerateRequest(
        conversation=conversation_pb.Conversation(messages=[message]),
        tools=TOOLS,
        tool_choice=choice,
        sampling=sampling_pb2.SamplingParams(**{"max_tokens": 400, "seed": 1, **sampling}),
    )


def _unary(generation: Any, request: pb.GenerateRequest) -> pb.GenerateUnaryResponse:
    return generation.GenerateUnary(pb.GenerateUnaryRequest(request=request))


def _check_calls(output: pb.Output) -> None:
    """Check all calls but one that was cut for the answer's length."""
    calls = list(output.tool_calls)
    if output.finished.reason == pb.FINISH_REASON_LENGTH and len(calls) > 1:
        calls.pop()
    assert calls
    for call in calls:
        arguments = json.loads(call.arguments)
        if call.name == "get_weather":
            assert set(arguments) == {"city", "days"}
            assert arguments["city"] in CITIES
            assert 1 <= arguments["days"] <= 9
        else:
            assert (call.name, arguments) == ("clock", {})
    assert len({call.id for call in output.tool_calls}) == len(output.tool_calls)


def test_a_required_call_is_valid(generation: Any) -> None:
    answer = _unary(generation, _asked(REQUIRED, n=2, temperature=1.0))

    assert len(answer.outputs) == 2
    for output in answer.outputs:
        _check_calls(output)
        assert output.text.strip() == ""
    assert answer.completed.usage.reasoning_tokens == 0


def test_a_named_call_is_of_that_tool(generation: Any) -> None:
    answer = _unary(generation, _asked(conversation_pb.ToolChoice(name="get_weather")))
    (output,) = answer.outputs

    _check_calls(output)
    assert {call.name for call in output.tool_calls} == {"get_weather"}


def test_a_call_comes_in_pieces(generation: Any) -> None:
    """Its name first, and only once; every id of the answer is told."""
    request = _asked(REQUIRED)
    request.output_options.include_token_ids = True
    events = list(generation.Generate(request))
    pieces = [one.tool_call_delta for one in events if one.HasField("tool_call_delta")]
    first = [piece for piece in pieces if piece.call_index == 0]

    assert first[0].name in {"get_weather", "clock"}
    assert not any(piece.name or piece.id for piece in first[1:])
    told = sum(len(one.text_delta.token_ids) for one in events if one.HasField("text_delta"))
    assert told == events[-1].completed.usage.completion_tokens


def test_a_result_goes_back_to_the_model(generation: Any) -> None:
    """The call as it was told is taken in the next turn, and makes the prompt longer."""
    request = _asked(REQUIRED)
    first = _unary(generation, request)
    call = first.outputs[0].tool_calls[0]
    result = conversation_pb.ToolResult(tool_call_id=call.id, name=call.name, text="<|im_end|>")
    request.conversation.messages.extend(
        [
            conversation_pb.Message(
                role=conversation_pb.ROLE_ASSISTANT, parts=[conversation_pb.Part(tool_call=call)]
            ),
            conversation_pb.Message(
                role=conversation_pb.ROLE_TOOL, parts=[conversation_pb.Part(tool_result=result)]
            ),
        ]
    )
    request.tool_choice.mode = conversation_pb.TOOL_CHOICE_MODE_NONE
    second = _unary(generation, request)

    assert not second.outputs[0].tool_calls
    request.tool_choice.mode = conversation_pb.TOOL_CHOICE_MODE_AUTO
    longer = _unary(generation, request)
    assert longer.started.prompt_tokens > first.started.prompt_tokens


@pytest.mark.parametrize(
    "schema",
    [
        '{"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}, "required": ["a"]}',
        '{"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}',
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(generation: Any, schema: str) -> None:
    """And the engine lives."""
    request = _asked(REQUIRED)
    request.tools[0].parameters_json_schema = schema
    with pytest.raises(grpc.RpcError) as refusal:
        _unary(generation, request)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "tools" in refusal.value.details()

    _check_calls(_unary(generation, _asked(REQUIRED)).outputs[0])


def test_a_budget_of_thoughts_is_refused_where_none_are_known(generation: Any) -> None:
    """The server has no `--reasoning-parser`."""
    refusal = Refusal.of(generation, _asked(thinking_token_budget=5))

    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == ["sampling.thinking_token_budget"]


def test_the_examples_for_a_shell_print_what_their_page_shows(address: str) -> None:
    for example in examples("tools"):
        check(example, address)
