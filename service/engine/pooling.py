"""Our embedding options to vLLM's `PoolingParams`, and what it pools to our vectors."""

from __future__ import annotations

from typing import Any

from vllm.outputs import PoolingRequestOutput
from vllm.pooling_params import PoolingParams

from service.domain.embedding import EmbeddingOptions, EngineVector


def to_pooling_params(options: EmbeddingOptions) -> PoolingParams:
    """Convert; of an embedding, vLLM's activation is to give it the length 1."""
    return PoolingParams(
        task="embed", dimensions=options.dimensions, use_activation=options.normalize
    )


def to_vector(output: PoolingRequestOutput[Any]) -> EngineVector:
    """Take the numbers out of vLLM's tensor."""
    return EngineVector(output.outputs.data.float().tolist(), output.num_cached_tokens or 0)
