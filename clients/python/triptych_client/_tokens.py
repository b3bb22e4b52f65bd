"""Prompts without an answer: how large one is, and what it looks like. Both clients use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from triptych.v1 import tokenizer_service_pb2
from triptych_client._requests import build_generate_request
from triptych_client._results import PartUsage

if TYPE_CHECKING:
    from triptych_client._options import GenerateOptions
    from triptych_client._prompt import Prompt


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The size of a prompt; what the media parts do not take is text."""

    prompt_tokens: int
    parts: tuple[PartUsage, ...]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Where a medium lies in a prompt's token ids."""

    field: str
    offset: int
    length: int
    #: Which bytes of the text (in UTF-8) stand for it; None: the server does not know.
    text_span: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class PromptLimit:
    """A limit of the model, and what the prompt has; `generate` refuses one that has more."""

    name: str
    limit: int
    actual: int

    @property
    def is_broken(self) -> bool:
        """Whether the prompt has more."""
        return self.actual > self.limit


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt as the model gets it."""

    text: str
    token_ids: tuple[int, ...]
    placeholders: tuple[Placeholder, ...]
    #: Which bytes of the text (in UTF-8) a caller wrote; the rest is the model's format.
    literal_spans: tuple[tuple[int, int], ...]
    limits: tuple[PromptLimit, ...]
    prompt_format: str


def build_count_request(
    prompt: Prompt, options: GenerateOptions
) -> tokenizer_service_pb2.CountTokensRequest:
    """Return the question how large a prompt is."""
    request = build_generate_request(prompt, options)
    return tokenizer_service_pb2.CountTokensRequest(request=request)


def count_from_proto(response: tokenizer_service_pb2.CountTokensResponse) -> TokenCount:
    """Return the answer to it."""
    parts = tuple(PartUsage(part.field, part.tokens) for part in response.parts)
    return TokenCount(response.prompt_tokens, parts)


def build_render_request(
    prompt: Prompt, options: GenerateOptions
) -> tokenizer_service_pb2.RenderPromptRequest:
    """Return the question what a prompt looks like."""
    request = build_generate_request(prompt, options)
    return tokenizer_service_pb2.RenderPromptRequest(request=request)


def rendered_from_proto(response: tokenizer_service_pb2.RenderPromptResponse) -> RenderedPrompt:
    """Return the answer to it."""
    return RenderedPrompt(
        text=response.text,
        token_ids=tuple(response.token_ids),
        placeholders=tuple(_placeholder_from_proto(one) for one in response.placeholders),
        literal_spans=tuple(_span_from_proto(span) for span in response.literal_spans),
        limits=tuple(PromptLimit(one.name, one.limit, one.actual) for one in response.limits),
        prompt_format=response.prompt_format,
    )


def _placeholder_from_proto(one: tokenizer_service_pb2.PlaceholderSpan) -> Placeholder:
    span = _span_from_proto(one.text_span) if one.HasField("text_span") else None
    return Placeholder(one.field, one.offset, one.length, span)


def _span_from_proto(span: tokenizer_service_pb2.TextSpan) -> tuple[int, int]:
    return span.start_byte, span.end_byte
