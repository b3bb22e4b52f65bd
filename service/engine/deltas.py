"""What vLLM gives at each step of a request, as the domain's deltas."""

from __future__ import annotations

from vllm.outputs import CompletionOutput, RequestOutput

from service.domain.events import EngineDelta, FinishReason, TokenLogprobs
from service.domain.sampling import Sampling
from service.engine.logprobs import to_token_logprobs

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "repetition": FinishReason.REPETITION,
}


def to_delta(
    completion: CompletionOutput, output: RequestOutput, sampling: Sampling
) -> EngineDelta:
    """Return one output's delta of a step."""
    reason = completion.finish_reason
    stop = completion.stop_reason
    return EngineDelta(
        output_index=completion.index,
        token_ids=tuple(completion.token_ids),
        finish_reason=(
            None if reason is None else _FINISH_REASONS.get(reason, FinishReason.ABORTED)
        ),
        stop_token_id=stop if isinstance(stop, int) else None,
        cached_tokens=output.num_cached_tokens or 0,
        logprobs=_logprobs(completion, sampling),
        prompt_logprobs=_prompt_logprobs(output, sampling),
        **_timings(output),
    )


def _logprobs(completion: CompletionOutput, sampling: Sampling) -> tuple[TokenLogprobs, ...]:
    return to_token_logprobs(
        completion.logprobs or (), sampling.logprobs or 0, sampling.logprob_token_ids
    )


def _prompt_logprobs(output: RequestOutput, sampling: Sampling) -> tuple[TokenLogprobs, ...]:
    return to_token_logprobs(output.prompt_logprobs or (), sampling.prompt_logprobs or 0)


def _timings(output: RequestOutput) -> dict[str, float]:
    """Return the stages' seconds so far from the core's clock, where vLLM kept them."""
    metrics = output.metrics
    if metrics is None or not metrics.first_token_ts:
        return {}
    return {
        "queue_s": metrics.scheduled_ts - metrics.queued_ts,
        "prefill_s": metrics.first_token_ts - metrics.scheduled_ts,
        "generate_s": metrics.last_token_ts - metrics.first_token_ts,
    }
