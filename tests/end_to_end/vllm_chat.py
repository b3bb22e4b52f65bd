"""vLLM's own `LLM.chat` in a process of its own: what our answers are held to.

Reads one job as JSON from standard input, writes its results to the file that the job names:
`python -m tests.end_to_end.vllm_chat`. Requests are answered one by one, as ours are: the rounding
of a batch depends on what else is in it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    job = json.load(sys.stdin)
    from vllm import LLM

    llm = LLM(job["model"], **job["engine"])
    results = [_answer(llm, request) for request in job["requests"]]
    Path(job["output"]).write_text(json.dumps(results))


def _answer(llm: Any, request: dict[str, Any]) -> dict[str, Any]:
    from vllm import SamplingParams
    from vllm.sampling_params import RepetitionDetectionParams, StructuredOutputsParams

    sampling = dict(request["sampling"])
    for name, kind in (
        ("structured_outputs", StructuredOutputsParams),
        ("repetition_detection", RepetitionDetectionParams),
    ):
        if name in sampling:
            sampling[name] = kind(**sampling[name])
    if "logit_bias" in sampling:  # JSON has no numbers for keys
        biases = sampling["logit_bias"].items()
        sampling["logit_bias"] = {int(token_id): bias for token_id, bias in biases}
    # Of the prompt and the queue, not of the sampling.
    keeps, priority = (sampling.pop(name, None) for name in ("truncate_prompt_tokens", "priority"))
    params = SamplingParams(**sampling)
    if "messages" in request:
        cut = {"truncate_prompt_tokens": keeps, "truncation_side": "left"} if keeps else None
        (output,) = llm.chat(
            request["messages"],
            params,
            use_tqdm=False,
            priority=priority,
            tokenization_kwargs=cut,
        )
    else:
        (output,) = llm.generate(request["prompt"], params, use_tqdm=False)
    return {
        "prompt_tokens": len(output.prompt_token_ids),
        "prompt_logprobs": _places(output.prompt_logprobs),
        "outputs": [_output(one) for one in output.outputs],
    }


def _output(output: Any) -> dict[str, Any]:
    return {
        "text": output.text,
        "token_ids": list(output.token_ids),
        "finish_reason": output.finish_reason,
        "stop_reason": output.stop_reason,
        "logprobs": _places(output.logprobs),
    }


def _places(places: Any) -> list[dict[int, float]] | None:
    """Return the log probabilities of each place by token, the place's own token first."""
    if places is None:
        return None
    return [
        {token_id: one.logprob for token_id, one in place.items()}
        for place in places
        if place is not None
    ]


if __name__ == "__main__":
    main()
