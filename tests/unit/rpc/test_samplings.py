"""Sampling on the wire: each wrong field is named, all of them at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.domain.sampling import (
    RepetitionDetection,
    StructuredOutput,
    StructuredOutputKind,
)
from service.errors import InvalidRequestError
from service.rpc.requests import to_generation_request
from triptych.v1 import generation_service_pb2 as pb
from triptych.v1 import sampling_pb2

Edit = Callable[[pb.GenerateRequest], object]

WRONG: dict[str, Edit] = {
    "sampling.temperature": lambda r: setattr(r.sampling, "temperature", -0.1),
    "sampling.top_p": lambda r: setattr(r.sampling, "top_p", 0.0),
    "sampling.top_k": lambda r: setattr(r.sampling, "top_k", -2),
    "sampling.min_p": lambda r: setattr(r.sampling, "min_p", float("nan")),
    "sampling.presence_penalty": lambda r: setattr(r.sampling, "presence_penalty", 2.5),
    "sampling.frequency_penalty": lambda r: setattr(r.sampling, "frequency_penalty", -2.5),
    "sampling.repetition_penalty": lambda r: setattr(r.sampling, "repetition_penalty", 0.0),
    "sampling.n": lambda r: setattr(r.sampling, "n", 65),
    "sampling.max_tokens": lambda r: setattr(r.sampling, "max_tokens", 0),
    "sampling.min_tokens": lambda r: setattr(r.sampling, "min_tokens", -1),
    "sampling.stop": lambda r: r.sampling.stop.extend(["x"] * 17),
    "sampling.stop[1]": lambda r: r.sampling.stop.extend(["x", ""]),
    "sampling.logit_bias[7]": lambda r: r.sampling.logit_bias.update({7: 101.0}),
    "sampling.logit_bias": lambda r: r.sampling.logit_bias.update(dict.fromkeys(range(1025), 0.0)),
    "sampling.bad_words[0]": lambda r: r.sampling.bad_words.append(""),
    "sampling.thinking_token_budget": lambda r: setattr(r.sampling, "thinking_token_budget", -1),
    "sampling.repetition_detection.max_pattern_size": lambda r: (
        r.sampling.repetition_detection.CopyFrom(sampling_pb2.RepetitionDetection(min_count=2))
    ),
    "sampling.repetition_detection.min_count": lambda r: r.sampling.repetition_detection.CopyFrom(
        sampling_pb2.RepetitionDetection(max_pattern_size=2, min_count=1)
    ),
    "output_options.logprobs": lambda r: setattr(r.output_options, "logprobs", -2),
    "output_options.prompt_logprobs": lambda r: setattr(r.output_options, "prompt_logprobs", -2),
    "output_options.logprob_token_ids": lambda r: r.output_options.logprob_token_ids.extend(
        range(129)
    ),
    "prompt_options.truncate_prompt_tokens": lambda r: setattr(
        r.prompt_options, "truncate_prompt_tokens", 0
    ),
    "structured_output": lambda r: r.structured_output.SetInParent(),
    "structured_output.json_object": lambda r: setattr(r.structured_output, "json_object", False),
    "structured_output.regex": lambda r: setattr(r.structured_output, "regex", ""),
    "structured_output.grammar": lambda r: setattr(r.structured_output, "grammar", "x" * 300_000),
    "structured_output.choice.texts": lambda r: r.structured_output.choice.SetInParent(),
    "structured_output.choice.texts[1]": lambda r: r.structured_output.choice.texts.extend(
        ["a", ""]
    ),
}


def wrong_fields(request: pb.GenerateRequest) -> list[str]:
    with pytest.raises(InvalidRequestError) as refusal:
        to_generation_request(request)
    return [field for field, _ in refusal.value.violations]


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_field_is_named(field: str) -> None:
    request = pb.GenerateRequest(text="hi")
    WRONG[field](request)
    assert wrong_fields(request) == [field]


def test_all_wrong_fields_are_named_at_once() -> None:
    request = pb.GenerateRequest(text="hi")
    together = ["sampling.temperature", "sampling.n", "sampling.stop[1]", "output_options.logprobs"]
    for field in together:
        WRONG[field](request)
    assert sorted(wrong_fields(request)) == sorted(together)


def test_several_greedy_outputs_are_refused() -> None:
    request = pb.GenerateRequest(text="hi")
    request.sampling.n = 2
    request.sampling.temperature = 0
    assert wrong_fields(request) == ["sampling.n"]


def test_what_is_set_reaches_the_domain() -> None:
    request = pb.GenerateRequest(text="hi", priority=-3)
    request.sampling.stop.append("END")
    request.sampling.include_stop_string = True
    request.sampling.logit_bias[4] = 2.5
    request.sampling.repetition_detection.max_pattern_size = 5
    request.sampling.repetition_detection.min_count = 3
    request.output_options.logprobs = 0
    request.structured_output.json_schema = "{}"

    asked = to_generation_request(request)

    assert asked.priority == -3
    assert asked.sampling.stop == ("END",)
    assert asked.sampling.include_stop_string
    assert asked.sampling.logit_bias == {4: 2.5}
    assert asked.sampling.repetition_detection == RepetitionDetection(5, 1, 3)
    assert asked.sampling.logprobs == 0
    assert asked.sampling.prompt_logprobs is None
    assert asked.sampling.structured_output == StructuredOutput(
        StructuredOutputKind.JSON_SCHEMA, "{}"
    )


def test_a_prompt_with_media_is_not_truncated() -> None:
    request = pb.GenerateRequest(text="hi")
    request.media.add().image.source.data = b"x"
    request.prompt_options.truncate_prompt_tokens = -1
    assert wrong_fields(request) == ["prompt_options.truncate_prompt_tokens"]
