"""Our sampling options to vLLM's `SamplingParams`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import (
    RepetitionDetectionParams,
    RequestOutputKind,
    SamplingParams,
    StructuredOutputsParams,
)

from service.domain.sampling import Sampling, StructuredOutput, StructuredOutputKind
from service.errors import InvalidRequestError

# By our names; vLLM's are the same.
_PLAIN = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "seed",
    "n",
    "max_tokens",
    "min_tokens",
    "ignore_eos",
    "thinking_token_budget",
    "logprobs",
    "prompt_logprobs",
)
_LISTS = ("stop_token_ids", "bad_words", "allowed_token_ids", "logprob_token_ids")

# Of vLLM's, what requests cannot set, and why. Every field is in one of these tables, which
# tests/unit/engine/test_sampling_params.py sees to, so that a new one is not overlooked.
DECIDED_HERE = {
    "stop": "the sidecar finds stop strings: the engine sees no text",
    "include_stop_str_in_output": "as stop",
    "skip_special_tokens": "the sidecar leaves them out",
    "detokenize": "always false: the sidecar does it",
    "output_kind": "always DELTA: the stream carries deltas",
    "flat_logprobs": "always false: places are told one by one",
    "structured_outputs": "made of the contract's structured_output",
    "logit_bias": "made of the contract's map",
    "repetition_detection": "made of the contract's message",
}
LEFT_OUT = {
    "watermarking": "the operator's choice, not a caller's",
    "spaces_between_special_tokens": "only vLLM's slow detokenizers heed it",
    "prompt_logprob_token_ids": "for scoring given continuations; prompt_logprobs tells the rest",
    "prompt_logprob_start": "as prompt_logprob_token_ids",
    "stream_interval": "the operator's --stream-interval; slow readers get joined deltas anyway",
    "skip_clone": "vLLM's own",
    "output_text_buffer_length": "vLLM's own",
    "extra_args": "for plugins; no type could be given to it",
    "skip_reading_prefix_cache": "vLLM decides by prompt_logprobs",
    "routed_experts_prompt_start": "for training",
    "trace_decode_token_ids": "for debugging of vLLM",
}


def to_sampling_params(
    sampling: Sampling, defaults: dict[str, Any], tokens_left: int
) -> SamplingParams:
    """Merge the model's defaults with what the request set.

    `tokens_left` is what the context has left after the prompt; it is the default and the upper
    bound of `max_tokens`. Raises InvalidRequestError.
    """
    merged = dict(defaults)
    for name in _PLAIN:
        value = getattr(sampling, name)
        if value is not None:
            merged[name] = value
    for name in _LISTS:
        values = getattr(sampling, name)
        if values:
            merged[name] = list(values)
    if sampling.logit_bias:
        merged["logit_bias"] = sampling.logit_bias
    if sampling.repetition_detection is not None:
        merged["repetition_detection"] = RepetitionDetectionParams(
            **asdict(sampling.repetition_detection)
        )
    if sampling.structured_output is not None:
        merged["structured_outputs"] = to_structured_outputs(sampling.structured_output)
    merged["max_tokens"] = min(merged.get("max_tokens") or tokens_left, tokens_left)
    try:
        return SamplingParams(**merged, output_kind=RequestOutputKind.DELTA, detokenize=False)
    except (VLLMValidationError, ValueError) as exc:
        raise InvalidRequestError("sampling", str(exc)) from exc


def to_structured_outputs(wanted: StructuredOutput) -> StructuredOutputsParams:
    """Return vLLM's form of what an answer must be."""
    match wanted.kind:
        case StructuredOutputKind.JSON_SCHEMA:
            constraint: dict[str, Any] = {"json": wanted.text}
        case StructuredOutputKind.JSON_OBJECT:
            constraint = {"json_object": True}
        case StructuredOutputKind.CHOICE:
            constraint = {"choice": list(wanted.choices)}
        case kind:
            constraint = {kind.value: wanted.text}
    return StructuredOutputsParams(**constraint)
