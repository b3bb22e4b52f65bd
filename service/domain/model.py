"""What is served."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from service.domain.conversation import Modality
from service.domain.sampling import Sampling


class Task(StrEnum):
    """What a model does."""

    GENERATE = "generate"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA in PEFT's format, served beside the model that it adapts, under a name of its own."""

    name: str
    directory: Path


@dataclass(frozen=True, slots=True)
class EmbeddingSize:
    """How many numbers a vector has.

    It may be cut to any number when `can_be_shortened`, or to those of `shortened` where there are
    some.
    """

    dimensions: int
    can_be_shortened: bool = False
    shortened: tuple[int, ...] = ()


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
    `{number}` where it numbers them; None where it puts nothing. `adapters` are names that requests
    may give instead of the model's own. `embedding` is set for a model that embeds.
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
    adapters: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = (Task.GENERATE,)
    embedding: EmbeddingSize | None = None

    @property
    def max_prompt_tokens(self) -> int:
        """How long a prompt may be: one token of the context is left for an answer."""
        return self.max_model_tokens - (Task.GENERATE in self.tasks)

    def adapter_of(self, model: str) -> str:
        """Return the adapter that a request's `model` names; empty: the model itself answers."""
        return model if model in self.adapters else ""


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """Which prompt format is used, and why."""

    name: str
    reason: str
