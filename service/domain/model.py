"""What is served."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.domain.conversation import Modality
from service.domain.sampling import Sampling


@dataclass(frozen=True, slots=True)
class ModelMemory:
    """What a model takes over all its devices, in bytes (the contract's `ModelMemory`)."""

    weights_bytes: int
    encoder_weights_bytes: int
    kv_cache_bytes: int
    kv_cache_bytes_per_token: int
    tensor_parallel_size: int
    pipeline_parallel_size: int


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """The loaded model; `part_limits` has a key for every media kind that it takes.

    `placeholder_strings` are what the engine puts into plain text for media of those kinds, with
    `{number}` where it numbers them; None where it puts nothing.
    """

    name: str
    architecture: str
    model_type: str
    directory: str
    part_limits: dict[Modality, int]
    max_model_tokens: int
    vocabulary_size: int
    default_sampling: Sampling
    dtype: str
    quantization: str
    kv_cache_tokens: int
    audio_sample_rate_hz: int
    memory: ModelMemory
    placeholder_strings: dict[Modality, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """Which prompt format is used, and why."""

    name: str
    reason: str
