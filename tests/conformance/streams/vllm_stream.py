"""vLLM's own detokenizer, driven as vLLM's output processor drives it.

Imports vLLM, which takes a while: imported by the tests that need it, when they run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vllm import SamplingParams
from vllm.v1.engine import EngineCoreRequest
from vllm.v1.engine.detokenizer import FastIncrementalDetokenizer, IncrementalDetokenizer

from tests.conformance.streams.cases import Case


@dataclass(frozen=True, kw_only=True)
class VllmStream:
    """What vLLM makes of a case."""

    pieces: list[str]  # given out at each step
    texts: list[str]  # the whole text after each step, also what is held back
    stop: str | None
    tokens: int  # how many ids belong to the output


def stream(tokenizer: Any, case: Case) -> VllmStream:
    """Run a case; the steps behind a stop string are not run."""
    params = SamplingParams(
        stop=case.stop,
        include_stop_str_in_output=case.include_stop_string,
        skip_special_tokens=case.skip_special_tokens,
        min_tokens=case.min_tokens,
        max_tokens=1000,
    )
    request = EngineCoreRequest("r", case.context, None, params, None, 0.0, None, None, None)
    detokenizer = IncrementalDetokenizer.from_new_request(tokenizer, request)
    assert isinstance(detokenizer, FastIncrementalDetokenizer)
    pieces, texts = [], []
    stop = None
    for number, chunk in enumerate(case.chunks, 1):
        is_last = number == len(case.chunks)
        stop = detokenizer.update(chunk, is_last and case.ends_with_stop_token)
        pieces.append(detokenizer.get_next_output_text(is_last or stop is not None, delta=True))
        texts.append(detokenizer.output_text)
        if stop is not None:
            break
    return VllmStream(pieces=pieces, texts=texts, stop=stop, tokens=detokenizer.num_output_tokens())
