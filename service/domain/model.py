"""What is served."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.conversation import Modality
from service.domain.sampling import Sampling


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """The loaded model; `part_limits` has a key for every media kind that it takes."""

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


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """Which prompt format is used, and why."""

    name: str
    reason: str
