"""Prompts that the engine process refuses because it has dropped an item that it should have.

vLLM's server side then forgets that the engine had it; the prompt, sent again, brings it along.
"""

from __future__ import annotations

from typing import Any

from vllm.outputs import PoolingRequestOutput, RequestOutput


def is_cache_miss(output: RequestOutput | PoolingRequestOutput[Any]) -> bool:
    """Tell whether a prompt was refused for an item that the engine process did not have."""
    if isinstance(output, PoolingRequestOutput):
        return output.error is not None and output.error.code == "multimodal_cache_miss"
    return output.finished and all(
        completion.finish_reason == "error" and not completion.token_ids
        for completion in output.outputs
    )
