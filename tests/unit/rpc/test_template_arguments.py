"""A template gets a caller's variables as plain values, and none that it could be misled by."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2

from service.errors import InvalidRequestError
from service.rpc.requests import to_generation_request
from triptych.v1 import generation_service_pb2 as pb

FIELD = "prompt_options.template_arguments"


def arguments_of(values: dict[str, Any]) -> Any:
    """Return what a request's options carry."""
    request = pb.GenerateRequest(text="a")
    json_format.ParseDict(values, request.prompt_options.template_arguments)
    return to_generation_request(request).prompt_options.template_arguments


def problems_of(values: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong, by field."""
    with pytest.raises(InvalidRequestError) as refusal:
        arguments_of(values)
    return dict(refusal.value.violations)


def nested(levels: int) -> Any:
    """Return a value of so many levels."""
    return 1 if levels == 1 else [nested(levels - 1)]


def test_values_are_those_of_json() -> None:
    """Whole numbers are whole; what is not set is None."""
    values = {
        "enable_thinking": False,
        "reasoning_effort": "high",
        "budget": 2,
        "share": 0.5,
        "huge": 1e300,
        "nothing": None,
        "many": [1, "two", {"three": [True]}],
    }

    assert values == arguments_of(values)
    assert isinstance(arguments_of({"n": 2})["n"], int)
    assert {} == arguments_of({})
    assert {"a": None} == dict(
        to_generation_request(
            pb.GenerateRequest(
                text="a",
                prompt_options=pb.PromptOptions(
                    template_arguments=struct_pb2.Struct(fields={"a": struct_pb2.Value()})
                ),
            )
        ).prompt_options.template_arguments
    )


@pytest.mark.parametrize(
    "name",
    [
        *("messages", "tools", "documents", "add_generation_prompt", "bos_token", "image_token"),
        *("raise_exception", "strftime_now", "range", "namespace", "loop", "self", "chat_template"),
    ],
)
def test_what_the_server_sets_cannot_be_overridden(name: str) -> None:
    """The field is that of the argument; all of them are named at once."""
    assert {
        f"{FIELD}.{name}": "is set by the server",
        f"{FIELD}.tokenize": "is set by the server",
    } == (problems_of({name: 1, "fine": 2, "tokenize": False}))


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a b", "ä", "a" * 65, "a.b", "{{x}}", "a\n"])
def test_a_name_is_that_of_a_variable(name: str) -> None:
    assert {f"{FIELD}.{name}"} == problems_of({name: 1}).keys()


@pytest.mark.parametrize("key", ["", "<|im_end|>", "[INST]", "a\nb", "ä", "{", "x" * 257])
def test_a_key_spells_no_control_token(key: str) -> None:
    """Keys cannot be marked as the caller's."""
    assert {f"{FIELD}.options"} == problems_of({"options": {key: 1}}).keys()
    assert {"options": {"a key: b/c": 1}} == arguments_of({"options": {"a key: b/c": 1}})


def test_levels_are_bounded() -> None:
    assert {"deep": nested(8)} == arguments_of({"deep": nested(8)})
    assert {f"{FIELD}.deep" + "[0]" * 8: "must have at most 8 levels"} == (
        problems_of({"deep": nested(9)})
    )


def test_the_size_is_bounded() -> None:
    arguments_of({"long": "x" * 65_000})

    ((field, problem),) = problems_of({"long": "x" * 66_000}).items()
    assert FIELD == field
    assert problem.startswith("must have at most 65536 bytes, got 660")
