"""What a model takes of the memory: before it is loaded from its files, and when it is."""

from __future__ import annotations

from pathlib import Path

from vllm.config import VllmConfig
from vllm.utils.torch_utils import get_kv_cache_torch_dtype

from service.domain.model import ModelMemory
from service.engine.weight_files import measure_weights


def memory_of(config: VllmConfig, directory: Path, kv_cache_tokens: int) -> ModelMemory:
    """Tell what the model of `directory` takes when its KV cache holds so many tokens."""
    weights = measure_weights(directory)
    bytes_per_token = kv_cache_bytes_per_token(config)
    return ModelMemory(
        weights_bytes=weights.total,
        encoder_weights_bytes=weights.encoders,
        kv_cache_bytes=kv_cache_tokens * bytes_per_token,
        kv_cache_bytes_per_token=bytes_per_token,
        tensor_parallel_size=config.parallel_config.tensor_parallel_size,
        pipeline_parallel_size=config.parallel_config.pipeline_parallel_size,
    )


def kv_cache_bytes_per_token(config: VllmConfig) -> int:
    """Return what one token takes over all devices and layers; 0 for a model without attention."""
    model = config.model_config
    if model.is_attention_free:
        return 0
    layers = model.get_num_layers(config.parallel_config)
    layers *= config.parallel_config.pipeline_parallel_size
    # Keys and values of each head; multi-head latent attention keeps one vector for both.
    vectors = 1 if model.use_mla else 2 * model.get_total_num_kv_heads()
    width = get_kv_cache_torch_dtype(config.cache_config.cache_dtype, model.dtype).itemsize
    return int(layers * vectors * model.get_head_size() * width)
