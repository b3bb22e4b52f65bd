"""What vLLM knows of the loaded model, in our words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from vllm.config import ModelConfig
from vllm.model_executor.model_loader import get_model_cls
from vllm.v1.engine.async_llm import AsyncLLM

from service.domain.conversation import Modality
from service.domain.model import EmbeddingSize, ModelDescription, Task
from service.domain.sampling import Sampling
from service.engine.hearing import sample_rate_hz
from service.engine.model_memory import memory_of
from service.engine.multimodal import MEDIA_MODALITIES

_DEFAULT_AUDIO_RATE_HZ = 16_000
_UNLIKELY_NUMBER = 918273645
_SMALL_FILES = ["*.json", "*.jinja"]


def describe_model(
    llm: AsyncLLM, served_name: str, tasks: tuple[Task, ...], adapters: tuple[str, ...]
) -> ModelDescription:
    """Describe the model that `llm` has loaded, with the adapters of these names."""
    config = llm.model_config
    cache = llm.vllm_config.cache_config
    directory = find_directory(config.model, config.revision)
    kv_cache_tokens = (cache.num_gpu_blocks or 0) * cache.block_size
    return ModelDescription(
        name=served_name,
        architecture=config.architecture,
        model_type=config.hf_config.model_type,
        directory=directory,
        part_limits=_part_limits(llm),
        max_model_tokens=config.max_model_len,
        vocabulary_size=config.get_vocab_size(),
        default_sampling=_default_sampling(config.get_diff_sampling_param()),
        dtype=str(config.dtype).removeprefix("torch."),
        quantization=str(config.quantization or ""),
        kv_cache_tokens=kv_cache_tokens,
        audio_sample_rate_hz=_audio_sample_rate_hz(llm),
        memory=memory_of(llm.vllm_config, Path(directory), kv_cache_tokens),
        adapters=adapters,
        tasks=tasks,
        embedding=_embedding_size(config) if Task.EMBED in tasks else None,
    )


def _embedding_size(config: ModelConfig) -> EmbeddingSize:
    shortened = tuple(config.matryoshka_dimensions or ())
    return EmbeddingSize(config.embedding_size, config.is_matryoshka, shortened)


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


def _placeholder_strings(llm: AsyncLLM) -> dict[Modality, str | None]:
    kinds = _part_limits(llm)
    return ask_placeholder_strings(get_model_cls(llm.model_config), kinds) if kinds else {}


def ask_placeholder_strings(
    model_class: Any,
    kinds: Iterable[Modality],
) -> dict[Modality, str | None]:
    """Ask vLLM's class what stands for each kind in plain text; its numbers are `{number}`.

    A kind of which it says nothing is left out; a few classes say nothing at all.
    """
    strings: dict[Modality, str | None] = {}
    for kind in kinds:
        try:
            string = model_class.get_placeholder_str(kind, _UNLIKELY_NUMBER)
        except (AttributeError, ValueError):
            continue
        strings[kind] = string and string.replace(str(_UNLIKELY_NUMBER), "{number}")
    return strings


def _audio_sample_rate_hz(llm: AsyncLLM) -> int:
    if Modality.AUDIO not in _part_limits(llm):
        return _DEFAULT_AUDIO_RATE_HZ
    return sample_rate_hz(llm.renderer.get_mm_processor().info)


def _default_sampling(defaults: dict[str, Any]) -> Sampling:
    known = {field.name for field in fields(Sampling)}
    return Sampling(**{name: value for name, value in defaults.items() if name in known})
