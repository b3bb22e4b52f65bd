"""How the next token is chosen, and what is told of it.

None means: the model's default, then the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class StructuredOutputKind(StrEnum):
    """What a structured output's `text` is; the values are the contract's, and vLLM's, names."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    REGEX = "regex"
    CHOICE = "choice"
    GRAMMAR = "grammar"
    STRUCTURAL_TAG = "structural_tag"  # no request has it; parsers make it of tools


@dataclass(frozen=True, slots=True)
class StructuredOutput:
    """What form the answer must have; `choices` is for CHOICE, `text` for what has a text."""

    kind: StructuredOutputKind
    text: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RepetitionDetection:
    """Ends an answer once `min_count` equal patterns of these sizes, in tokens, stand in a row."""

    max_pattern_size: int
    min_pattern_size: int
    min_count: int


@dataclass(frozen=True, slots=True)
class Sampling:
    """The contract's `SamplingParams`, `StructuredOutput`, and the log probabilities asked for.

    Ranges are checked where requests are converted.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    n: int = 1
    max_tokens: int | None = None
    min_tokens: int | None = None
    stop_token_ids: tuple[int, ...] = ()
    ignore_eos: bool | None = None
    skip_special_tokens: bool = True
    stop: tuple[str, ...] = ()
    include_stop_string: bool = False
    logit_bias: dict[int, float] = field(default_factory=dict)
    bad_words: tuple[str, ...] = ()
    allowed_token_ids: tuple[int, ...] = ()
    thinking_token_budget: int | None = None
    repetition_detection: RepetitionDetection | None = None
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    logprob_token_ids: tuple[int, ...] = ()
    structured_output: StructuredOutput | None = None
