"""What vLLM knows of the loaded model, in our words."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from vllm.v1.engine.async_llm import AsyncLLM

from service.domain.conversation import Modality
from service.domain.model import ModelDescription
from service.domain.sampling import Sampling
from service.engine.multimodal import MEDIA_MODALITIES

_DEFAULT_AUDIO_RATE_HZ = 16_000
_SMALL_FILES = ["*.json", "*.jinja"]


def describe_model(llm: AsyncLLM, served_name: str) -> ModelDescription:
    """Describe the model that `llm` has loaded."""
    config = llm.model_config
    cache = llm.vllm_config.cache_config
    return ModelDescription(
        name=served_name,
        architecture=config.architecture,
        model_type=config.hf_config.model_type,
        directory=find_directory(config.model, config.revision),
        part_limits=_part_limits(llm),
        max_model_tokens=config.max_model_len,
        vocabulary_size=config.get_vocab_size(),
        default_sampling=_default_sampling(config.get_diff_sampling_param()),
        dtype=str(config.dtype).removeprefix("torch."),
        quantization=str(config.quantization or ""),
        kv_cache_tokens=(cache.num_gpu_blocks or 0) * cache.block_size,
        audio_sample_rate_hz=_audio_sample_rate_hz(llm),
    )


def find_directory(model: str, revision: str | None) -> str:
    """Return where the checkpoint's small files are; those of a hub name are fetched if need be."""
    if Path(model).is_dir():
        return model
    return str(snapshot_download(model, revision=revision, allow_patterns=_SMALL_FILES))


def _part_limits(llm: AsyncLLM) -> dict[Modality, int]:
    if not llm.model_config.is_multimodal_model:
        return {}
    allowed = llm.renderer.get_mm_processor().info.allowed_mm_limits
    return {modality: allowed[modality] for modality in MEDIA_MODALITIES if modality in allowed}


def _audio_sample_rate_hz(llm: AsyncLLM) -> int:
    if Modality.AUDIO not in _part_limits(llm):
        return _DEFAULT_AUDIO_RATE_HZ
    parser = llm.renderer.get_mm_processor().info.get_data_parser()
    return int(parser.audio_resampler.target_sr or _DEFAULT_AUDIO_RATE_HZ)


def _default_sampling(defaults: dict[str, Any]) -> Sampling:
    known = {field.name for field in fields(Sampling)}
    return Sampling(**{name: value for name, value in defaults.items() if name in known})
