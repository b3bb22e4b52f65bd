"""`SamplingParams` from the contract to the domain and back, with sampling.proto's ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.domain.sampling import RepetitionDetection, Sampling
from service.rpc.structured_outputs import to_structured_output
from triptych.v1 import sampling_pb2

if TYPE_CHECKING:
    from service.rpc.violations import Violations
    from triptych.v1 import generation_service_pb2 as pb

MAX_OUTPUTS = 64
_MAX_STOPS = 16
_MAX_STOP_CHARACTERS = 1024
_MAX_BAD_WORDS = 64
_MAX_BIASES = 1024
_MAX_LOGPROB_IDS = 128  # vLLM's MAX_LOGPROB_TOKEN_IDS
_SCALARS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "seed",
    "max_tokens",
    "min_tokens",
    "ignore_eos",
    "thinking_token_budget",
)


def to_sampling(message: pb.GenerateRequest, violations: Violations) -> Sampling:
    """Convert and check all that says how tokens are chosen, and what is told of them.

    What is unset stays None, so that the model's default applies.
    """
    sampling = _to_sampling(message.sampling, violations)
    options = message.output_options
    sampling = replace(
        sampling,
        logprobs=options.logprobs if options.HasField("logprobs") else None,
        prompt_logprobs=options.prompt_logprobs if options.HasField("prompt_logprobs") else None,
        logprob_token_ids=tuple(options.logprob_token_ids),
        structured_output=(
            to_structured_output(message.structured_output, violations)
            if message.HasField("structured_output")
            else None
        ),
    )
    _check_ranges(sampling, violations)
    _check_lists(sampling, violations)
    _check_output_options(sampling, violations)
    return sampling


def _to_sampling(message: sampling_pb2.SamplingParams, violations: Violations) -> Sampling:
    given: dict[str, Any] = {
        name: getattr(message, name)
        for name in _SCALARS
        if message.HasField(name)  # type: ignore[arg-type]
    }
    return Sampling(
        **given,
        n=message.n if message.HasField("n") else 1,
        stop_token_ids=tuple(message.stop_token_ids),
        skip_special_tokens=(
            message.skip_special_tokens if message.HasField("skip_special_tokens") else True
        ),
        stop=tuple(message.stop),
        include_stop_string=message.include_stop_string,
        logit_bias=dict(message.logit_bias),
        bad_words=tuple(message.bad_words),
        allowed_token_ids=tuple(message.allowed_token_ids),
        repetition_detection=(
            _to_repetition_detection(message.repetition_detection, violations)
            if message.HasField("repetition_detection")
            else None
        ),
    )


def _to_repetition_detection(
    message: sampling_pb2.RepetitionDetection, violations: Violations
) -> RepetitionDetection:
    path = "sampling.repetition_detection"
    shortest = message.min_pattern_size if message.HasField("min_pattern_size") else 1
    violations.check_range(f"{path}.max_pattern_size", message.max_pattern_size, 1)
    violations.check_range(f"{path}.min_count", message.min_count, 2)
    if message.max_pattern_size >= 1:
        violations.check_range(f"{path}.min_pattern_size", shortest, 1, message.max_pattern_size)
    return RepetitionDetection(message.max_pattern_size, shortest, message.min_count)


def _check_ranges(sampling: Sampling, violations: Violations) -> None:
    violations.check_range("sampling.temperature", sampling.temperature, 0)
    violations.check_above("sampling.top_p", sampling.top_p, 0, 1)
    violations.check_range("sampling.top_k", sampling.top_k, -1)
    violations.check_range("sampling.min_p", sampling.min_p, 0, 1)
    violations.check_range("sampling.presence_penalty", sampling.presence_penalty, -2, 2)
    violations.check_range("sampling.frequency_penalty", sampling.frequency_penalty, -2, 2)
    violations.check_above("sampling.repetition_penalty", sampling.repetition_penalty, 0)
    violations.check_range("sampling.n", sampling.n, 1, MAX_OUTPUTS)
    violations.check_range("sampling.max_tokens", sampling.max_tokens, 1)
    violations.check_range("sampling.min_tokens", sampling.min_tokens, 0)
    violations.check_range("sampling.thinking_token_budget", sampling.thinking_token_budget, 0)
    for token_id, bias in sampling.logit_bias.items():
        violations.check_range(f"sampling.logit_bias[{token_id}]", bias, -100, 100)
    if (sampling.min_tokens or 0) > (sampling.max_tokens or float("inf")):
        violations.add(
            "sampling.min_tokens",
            f"must be at most max_tokens ({sampling.max_tokens}), got {sampling.min_tokens}",
        )
    if sampling.n > 1 and sampling.temperature == 0:
        violations.add("sampling.n", "must be 1 when temperature is 0: all outputs were the same")


def _check_lists(sampling: Sampling, violations: Violations) -> None:
    _check_count("sampling.stop", sampling.stop, _MAX_STOPS, violations)
    _check_count("sampling.bad_words", sampling.bad_words, _MAX_BAD_WORDS, violations)
    _check_count("sampling.logit_bias", tuple(sampling.logit_bias), _MAX_BIASES, violations)
    for name in ("stop", "bad_words"):
        for index, text in enumerate(getattr(sampling, name)):
            if not 0 < len(text) <= _MAX_STOP_CHARACTERS:
                violations.add(
                    f"sampling.{name}[{index}]",
                    f"must have 1 to {_MAX_STOP_CHARACTERS} characters, got {len(text)}",
                )


def _check_output_options(sampling: Sampling, violations: Violations) -> None:
    ids = sampling.logprob_token_ids
    violations.check_range("output_options.logprobs", sampling.logprobs, -1)
    violations.check_range("output_options.prompt_logprobs", sampling.prompt_logprobs, -1)
    _check_count("output_options.logprob_token_ids", ids, _MAX_LOGPROB_IDS, violations)
    if ids and sampling.logprobs not in (None, len(ids)):
        violations.add(
            "output_options.logprobs",
            f"must be unset, or {len(ids)} as logprob_token_ids are, got {sampling.logprobs}",
        )


def _check_count(field: str, values: Sequence[object], most: int, violations: Violations) -> None:
    if len(values) > most:
        violations.add(field, f"must have at most {most} entries, got {len(values)}")


def from_sampling(sampling: Sampling) -> sampling_pb2.SamplingParams:
    """Convert what is set of a model's defaults."""
    given = {name: getattr(sampling, name) for name in _SCALARS}
    return sampling_pb2.SamplingParams(
        **{name: value for name, value in given.items() if value is not None},
        stop_token_ids=sampling.stop_token_ids,
    )
