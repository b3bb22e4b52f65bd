"""What happens while a request is answered, in the order of the contract's stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from service.domain.conversation import Modality, Prompt, PromptOptions
from service.domain.ending import Ending
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
    # Lower comes first in the engine's queue.
    priority: int = 0
    # Bounds below the server's own, by their names in `MediaLimits`.
    media_limits: dict[str, float] = field(default_factory=dict)
    # Who asks; stored media are the caller's own. Empty: nobody in particular.
    caller: str = ""
    # When the client gives up, by the event loop's clock, in seconds. None: never, or it wants
    # nothing made of it.
    deadline: float | None = None
    # Ends the answer early. None: nothing does.
    ending: Ending | None = field(default=None, compare=False, repr=False)


class FinishReason(StrEnum):
    """Why an output ended."""

    STOP = "stop"
    LENGTH = "length"
    ABORTED = "aborted"
    STOP_STRING = "stop_string"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    REPETITION = "repetition"


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt was accepted."""

    request_id: str
    model: str
    prompt_tokens: int
    placeholders: tuple[PlaceholderSpan, ...]


# Named tuples and no dataclasses: there may be hundreds of them for each token.
class TokenLogprob(NamedTuple):
    """How likely a token was: natural logarithm, and rank from 1 (0: not known)."""

    token_id: int
    logprob: float
    rank: int
    text: str = ""


class TokenLogprobs(NamedTuple):
    """How likely the token of one place was, and the likeliest, in order."""

    chosen: TokenLogprob
    top: tuple[TokenLogprob, ...]


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """How likely the prompt's tokens were from `first_position` on."""

    first_position: int
    tokens: tuple[TokenLogprobs, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of one output; `token_ids` and `logprobs` only when the request asked for them."""

    output_index: int
    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[TokenLogprobs, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of what the model thinks before it answers."""

    output_index: int
    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[TokenLogprobs, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call; the first has its `id` and `name`. All `arguments`, joined, are JSON."""

    output_index: int
    call_index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class OutputFinished:
    """The end of one output."""

    output_index: int
    reason: FinishReason
    stop_token_id: int | None = None
    stop_string: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written; `media_tokens` has the kinds that the prompt has."""

    prompt_tokens: int
    media_tokens: dict[Modality, int]
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0


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


Event = (
    Started
    | PromptLogprobs
    | TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | OutputFinished
    | Completed
)


@dataclass(frozen=True, slots=True)
class EngineDelta:
    """What one engine step gave one request's output.

    `logprobs` has one for each of `token_ids` when they were asked for; `prompt_logprobs` come
    with the first delta. The three times are those until now, in seconds; all are set on
    the last delta of the last output.
    """

    output_index: int
    token_ids: tuple[int, ...]
    finish_reason: FinishReason | None = None
    stop_token_id: int | None = None
    cached_tokens: int = 0
    logprobs: tuple[TokenLogprobs, ...] = ()
    prompt_logprobs: tuple[TokenLogprobs, ...] = ()
    queue_s: float | None = None
    prefill_s: float | None = None
    generate_s: float | None = None
