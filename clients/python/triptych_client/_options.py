"""The keyword arguments of `generate` and `generate_unary`, written once for both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triptych_client._prompt import Audio, Bytes, File, Image, Video
    from triptych_client._tools import Tool


class GenerateOptions(TypedDict, total=False):
    """All optional; None is the same as not given, and the server then uses its own default."""

    #: Media that go before the text, images first; a list of parts gives any other order.
    images: Sequence[File | Bytes | Image] | None
    audios: Sequence[File | Bytes | Audio] | None
    videos: Sequence[File | Bytes | Video] | None
    #: Instructions that hold for the whole conversation.
    system: str | None
    #: A name of `list_models`; empty: the server's only model.
    model: str | None
    #: How long the whole call may take; not given: the client's `timeout_s`.
    timeout_s: float | None

    #: Randomness, 0 and up; 0 always takes the likeliest token.
    temperature: float | None
    #: Only the likeliest tokens that together reach this probability.
    top_p: float | None
    #: Only so many of the likeliest tokens; 0 or -1 means all.
    top_k: int | None
    #: Only tokens at least this fraction as likely as the likeliest.
    min_p: float | None
    #: -2 to 2; positive values disfavour tokens that were generated before.
    presence_penalty: float | None
    #: -2 to 2; the same, in proportion to how often.
    frequency_penalty: float | None
    #: Above 1 disfavours tokens of the prompt and the answer.
    repetition_penalty: float | None
    #: Makes sampling repeatable.
    seed: int | None
    #: How many answers to give, 1 to 64; `outputs` has all of them.
    n: int | None
    #: Longest answer, in tokens.
    max_tokens: int | None
    #: Shortest answer, in tokens.
    min_tokens: int | None
    #: Token ids that end an answer beside the model's own.
    stop_token_ids: Sequence[int] | None
    #: Go on after the model's end-of-sequence token.
    ignore_eos: bool | None
    #: Leave control tokens out of the text.
    skip_special_tokens: bool | None
    #: Strings that end an answer; the text ends before them.
    stop: Sequence[str] | None
    #: Let the text end behind the stop string, or token, instead.
    include_stop_string: bool | None
    #: Added to the logits of these token ids, -100 to 100.
    logit_bias: Mapping[int, float] | None
    #: Words that the answer must not hold.
    bad_words: Sequence[str] | None
    #: The only token ids that may be chosen.
    allowed_token_ids: Sequence[int] | None
    #: For models that think first: the most tokens of thinking.
    thinking_token_budget: int | None
    #: End an answer that repeats itself: `max_pattern_size`, `min_pattern_size`, `min_count`.
    repetition_detection: Mapping[str, int] | None
    #: Lower comes first in the engine's queue, where the server has priorities.
    priority: int | None

    #: The form of the answer; one of these. JSON of a JSON Schema (a mapping, or its text).
    json_schema: Mapping[str, Any] | str | None
    #: Any JSON object.
    json_object: bool | None
    #: A whole match of a regular expression.
    regex: str | None
    #: One of some texts.
    choice: Sequence[str] | None
    #: A word of a grammar, in EBNF or Lark.
    grammar: str | None

    #: Tools that the model may call.
    tools: Sequence[Tool] | None
    #: `auto`, `none`, `required`, or the name of the tool that must be called.
    tool_choice: str | None
    #: Whether an answer may hold several calls.
    parallel_tool_calls: bool | None

    #: Append the model's cue for an assistant's answer.
    add_generation_prompt: bool | None
    #: Go on writing the last message, which must be the assistant's.
    continue_final_message: bool | None
    #: Obey control tokens in text parts; only when the caller wrote all of them itself.
    trust_special_tokens: bool | None
    #: Add what the tokenizer puts around a text, such as BOS; of a `RawText` only.
    add_special_tokens: bool | None
    #: Variables for the model's chat template, such as `{"enable_thinking": True}`.
    template_arguments: Mapping[str, Any] | None
    #: Keep only so many of the prompt's last tokens; -1: as many as the context takes.
    truncate_prompt_tokens: int | None
    #: Fill `token_ids` of deltas and outputs.
    include_token_ids: bool | None
    #: Fill `logprobs`: of the chosen token, and so many of the likeliest.
    logprobs: int | None
    #: The same of the prompt's tokens, in `PromptLogprobs`.
    prompt_logprobs: int | None
    #: Tell of these token ids instead of the likeliest.
    logprob_token_ids: Sequence[int] | None
    #: False: let the call fail at its deadline instead of ending the answer before it.
    finish_before_deadline: bool | None
