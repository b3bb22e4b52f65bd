"""What happens while a request is answered, in the order of the contract's stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from service.domain.conversation import Modality, Prompt, PromptOptions
from service.domain.media import PlaceholderSpan
from service.domain.sampling import Sampling


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A validated request. An empty `model` means the server's only model."""

    model: str
    prompt: Prompt
    sampling: Sampling = field(default_factory=Sampling)
    prompt_options: PromptOptions = field(default_factory=PromptOptions)
    include_token_ids: bool = False
    # Bounds below the server's own, by their names in `MediaLimits`.
    media_limits: dict[str, float] = field(default_factory=dict)
    # Who asks; stored media are the caller's own. Empty: nobody in particular.
    caller: str = ""


class FinishReason(StrEnum):
    """Why an output ended."""

    STOP = "stop"
    LENGTH = "length"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt was accepted."""

    request_id: str
    model: str
    prompt_tokens: int
    placeholders: tuple[PlaceholderSpan, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of one output; `token_ids` only when the request asked for them."""

    output_index: int
    text: str
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputFinished:
    """The end of one output."""

    output_index: int
    reason: FinishReason
    stop_token_id: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written; `media_tokens` has the kinds that the prompt has."""

    prompt_tokens: int
    media_tokens: dict[Modality, int]
    cached_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time went, in seconds; None for a stage that did not happen."""

    fetch_s: float | None = None
    decode_s: float | None = None
    preprocess_s: float | None = None
    queue_s: float | None = None
    prefill_s: float | None = None
    generate_s: float | None = None
    cached_media_parts: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """Everything is complete."""

    usage: Usage
    timings: Timings


Event = Started | TextDelta | OutputFinished | Completed


@dataclass(frozen=True, slots=True)
class EngineDelta:
    """What one engine step gave one request's output.

    The three times are set on the last delta of the last output, in seconds.
    """

    output_index: int
    token_ids: tuple[int, ...]
    finish_reason: FinishReason | None = None
    stop_token_id: int | None = None
    cached_tokens: int = 0
    queue_s: float | None = None
    prefill_s: float | None = None
    generate_s: float | None = None
