"""Structured outputs on vLLM's real backends: what is broken, and what would hold others up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.config import prepare_engine_environment, resolve_model
from service.domain.sampling import StructuredOutput, StructuredOutputKind
from service.errors import InvalidRequestError


@pytest.fixture(scope="module")
def structures() -> Any:
    prepare_engine_environment("info")
    from service.engine.engine_args import parse_engine_args
    from service.engine.structure_check import StructureCheck

    return StructureCheck.load(parse_engine_args(resolve_model(None)[0], ()))


def schema(value: object) -> StructuredOutput:
    return StructuredOutput(StructuredOutputKind.JSON_SCHEMA, json.dumps(value))


def regex(text: str) -> StructuredOutput:
    return StructuredOutput(StructuredOutputKind.REGEX, text)


def grammar(text: str) -> StructuredOutput:
    return StructuredOutput(StructuredOutputKind.GRAMMAR, text)


GOOD = {
    "a schema": schema(
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 40},
                "size": {"type": "integer", "minimum": 0, "maximum": 100},
                "tags": {"type": "array", "items": {"enum": ["red", "blue"]}, "maxItems": 4},
            },
            "required": ["name", "size"],
        }
    ),
    "a recursive schema": schema(
        {
            "$defs": {"tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}}},
            "$ref": "#/$defs/tree",
        }
    ),
    "a large schema": schema(
        {"type": "object", "properties": {f"key{i}": {"type": "string"} for i in range(100)}}
    ),
    "any object": StructuredOutput(StructuredOutputKind.JSON_OBJECT),
    "an expression": regex(r"\d{4}-\d{2}-\d{2}"),
    "a choice": StructuredOutput(StructuredOutputKind.CHOICE, choices=("yes", "no", "ja 😀")),
    "a grammar": grammar('root ::= "a" | "b" root'),
    "a Lark grammar": grammar('start: "yes" | "no"'),
}
BROKEN = {
    "no JSON": StructuredOutput(StructuredOutputKind.JSON_SCHEMA, '{"type": '),
    "no schema": StructuredOutput(StructuredOutputKind.JSON_SCHEMA, '{"type": "nothing"}'),
    "a schema that refers to nothing": schema({"$ref": "#/$defs/missing"}),
    "a schema of a thousand levels": StructuredOutput(
        StructuredOutputKind.JSON_SCHEMA, '{"items": ' * 1000 + "{}" + "}" * 1000
    ),
    "half an expression": regex("(a|b"),
    "a grammar without a rule for what it names": grammar("root ::= missing"),
    "no grammar": grammar("just words"),
}
COSTLY = {
    "bounds in bounds in bounds": regex(r"((a{1,100}){1,100}){1,100}"),
    "stars in stars": regex(r"((a*)*)*b"),
}


@pytest.mark.parametrize("wanted", GOOD.values(), ids=GOOD)
def test_what_people_send_passes(structures: Any, wanted: StructuredOutput) -> None:
    structures.check(wanted)


@pytest.mark.parametrize("wanted", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named(structures: Any, wanted: StructuredOutput) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        structures.check(wanted)
    assert refusal.value.violations[0][0] == f"structured_output.{wanted.kind}"


@pytest.mark.parametrize("wanted", COSTLY.values(), ids=COSTLY)
def test_what_would_hold_up_every_step_is_refused(
    structures: Any, wanted: StructuredOutput
) -> None:
    with pytest.raises(InvalidRequestError, match="costs too much"):
        structures.check(wanted)
