"""vLLM's sampling parameters: all of them are ours too, or left out for a reason."""

from __future__ import annotations

import dataclasses

import pytest
from vllm.sampling_params import SamplingParams

from service.domain.sampling import (
    RepetitionDetection,
    Sampling,
    StructuredOutput,
    StructuredOutputKind,
)
from service.engine.sampling_params import (
    DECIDED_HERE,
    LEFT_OUT,
    to_sampling_params,
    to_structured_outputs,
)
from service.errors import InvalidRequestError
from triptych.v1 import generation_service_pb2 as pb
from triptych.v1 import sampling_pb2


def _vllm_fields() -> set[str]:
    return {name for name in SamplingParams.__struct_fields__ if not name.startswith("_")}


def _wire_fields() -> set[str]:
    messages = (sampling_pb2.SamplingParams, pb.OutputOptions)
    return {name for message in messages for name in message.DESCRIPTOR.fields_by_name}


def test_every_parameter_of_vllm_is_on_the_wire_or_left_out_for_a_reason() -> None:
    """When vLLM grows one, this test asks what is to become of it."""
    undecided = _vllm_fields() - _wire_fields() - {*DECIDED_HERE} - {*LEFT_OUT}
    assert not undecided, "map them in sampling.proto, or list them in LEFT_OUT with a reason"
    assert not ({*DECIDED_HERE} | {*LEFT_OUT}) - _vllm_fields(), "vLLM has these no longer"
    assert not {*LEFT_OUT} & _wire_fields()
    assert all(LEFT_OUT.values())


def test_every_field_of_ours_reaches_vllm() -> None:
    """All but those that the sidecar heeds; each is told apart from what is unset."""
    given = Sampling(
        temperature=0.5,
        top_p=0.6,
        top_k=7,
        min_p=0.1,
        presence_penalty=0.2,
        frequency_penalty=0.3,
        repetition_penalty=1.1,
        seed=5,
        n=2,
        max_tokens=9,
        min_tokens=3,
        stop_token_ids=(1, 2),
        ignore_eos=True,
        logit_bias={3: -1.5},
        bad_words=("no",),
        allowed_token_ids=(1, 2, 3),
        thinking_token_budget=4,
        repetition_detection=RepetitionDetection(8, 2, 3),
        logprobs=1,
        prompt_logprobs=2,
        logprob_token_ids=(6,),
        structured_output=StructuredOutput(StructuredOutputKind.REGEX, "a+"),
    )
    params = to_sampling_params(given, {}, 100)
    plain = {
        field.name: getattr(given, field.name)
        for field in dataclasses.fields(given)
        if isinstance(getattr(given, field.name), int | float | dict)
        and field.name not in ("skip_special_tokens", "include_stop_string")
    }
    assert {name: getattr(params, name) for name in plain} == plain
    assert len(plain) == 16
    assert params.stop_token_ids == [1, 2]
    assert params.bad_words == ["no"]
    assert params.allowed_token_ids == [1, 2, 3]
    assert params.logprob_token_ids == [6]
    assert dataclasses.asdict(params.repetition_detection) == {
        "max_pattern_size": 8,
        "min_pattern_size": 2,
        "min_count": 3,
    }
    assert params.structured_outputs.regex == "a+"


def test_a_zero_is_a_zero_and_unset_is_the_models_default() -> None:
    defaults = {"temperature": 0.7, "top_k": 20}
    assert to_sampling_params(Sampling(), defaults, 100).temperature == 0.7
    chosen = to_sampling_params(Sampling(temperature=0.0, top_k=0), defaults, 100)
    assert (chosen.temperature, chosen.top_k) == (0.0, 0)


def test_stop_strings_stay_with_the_sidecar() -> None:
    params = to_sampling_params(Sampling(stop=("END",), include_stop_string=True), {}, 100)
    assert not params.stop
    assert not params.detokenize


@pytest.mark.parametrize("asked", [None, 500])
def test_an_answer_ends_with_the_context(asked: int | None) -> None:
    assert to_sampling_params(Sampling(max_tokens=asked), {}, 100).max_tokens == 100


def test_what_vllm_refuses_is_a_wrong_field() -> None:
    with pytest.raises(InvalidRequestError, match="sampling"):
        to_sampling_params(Sampling(n=2, temperature=0.0), {}, 100)


@pytest.mark.parametrize(
    ("wanted", "field", "value"),
    [
        (StructuredOutput(StructuredOutputKind.JSON_SCHEMA, "{}"), "json", "{}"),
        (StructuredOutput(StructuredOutputKind.JSON_OBJECT), "json_object", True),
        (StructuredOutput(StructuredOutputKind.CHOICE, choices=("a", "b")), "choice", ["a", "b"]),
        (StructuredOutput(StructuredOutputKind.GRAMMAR, "root ::= x"), "grammar", "root ::= x"),
    ],
    ids=lambda value: value.kind if isinstance(value, StructuredOutput) else "",
)
def test_each_structured_output_has_its_place(
    wanted: StructuredOutput, field: str, value: object
) -> None:
    assert getattr(to_structured_outputs(wanted), field) == value
