"""Our sampling options to vLLM's `SamplingParams`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import RequestOutputKind, SamplingParams

from service.domain.sampling import Sampling
from service.errors import InvalidRequestError

# Decided after the engine: the sidecar turns ids into text.
_NOT_FOR_THE_ENGINE = {"skip_special_tokens"}


def to_sampling_params(
    sampling: Sampling, defaults: dict[str, Any], tokens_left: int
) -> SamplingParams:
    """Merge the model's defaults with what the request set.

    `tokens_left` is what the context has left after the prompt; it is the default and the upper
    bound of `max_tokens`.
    """
    chosen = {
        field.name: value
        for field in fields(sampling)
        if field.name not in _NOT_FOR_THE_ENGINE
        and (value := getattr(sampling, field.name)) is not None
    }
    merged = {**defaults, **chosen}
    merged["stop_token_ids"] = list(merged.get("stop_token_ids", ()))
    merged["max_tokens"] = min(merged.get("max_tokens") or tokens_left, tokens_left)
    try:
        return SamplingParams(**merged, output_kind=RequestOutputKind.DELTA, detokenize=False)
    except (VLLMValidationError, ValueError) as exc:
        raise InvalidRequestError("sampling", str(exc)) from exc
