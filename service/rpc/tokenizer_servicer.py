"""TokenizerService: text to tokens and back, and prompts that nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Any

from service.domain.events import GenerationRequest
from service.domain.prompt import ByteSpan
from service.domain.prompt_preview import PreviewedPlaceholder, PromptPreview
from service.domain.tokens import EncodedText
from service.errors import InvalidRequestError, LimitExceededError
from service.ports import Tokenizer
from service.rpc.caller import caller_of
from service.rpc.deadlines import with_deadline
from service.rpc.requests import to_generation_request
from service.rpc.responses import to_part_usages
from service.rpc.serving import LoadedModel, Serving
from triptych.v1 import tokenizer_service_pb2 as pb
from triptych.v1 import tokenizer_service_pb2_grpc as pb_grpc

# Each token is a message in the answer. That costs much more than to encode it: some milliseconds
# for those of one turn of the event loop, a second for those of the longest text.
_MAX_TEXT_BYTES = 256 << 10
_TOKENS_A_TURN = 500


class TokenizerServicer(pb_grpc.TokenizerServiceServicer):
    """Answers with the tokenizer and the prompter that `serving` holds."""

    def __init__(self, serving: Serving, caller_header: str | None = None) -> None:
        self._serving = serving
        self._caller_header = caller_header

    async def Tokenize(  # noqa: N802 - the contract's name
        self, request: pb.TokenizeRequest, context: Any
    ) -> pb.TokenizeResponse:
        """Turn text into ids, and say what each stands for."""
        tokenizer = self._serving.model(request.model).tokenizer
        text = request.text.encode()
        if len(text) > _MAX_TEXT_BYTES:
            raise LimitExceededError("text", "text_bytes", _MAX_TEXT_BYTES, len(text))
        is_literal = bool(text) and not request.trust_special_tokens
        encoded = await tokenizer.encode_with_spans(
            request.text,
            literal_spans=[ByteSpan(0, len(text))] if is_literal else [],
            add_special_tokens=request.add_special_tokens,
        )
        added = await _texts_of_added(encoded, tokenizer)
        response = pb.TokenizeResponse()
        pairs = iter(zip(encoded.token_ids, encoded.spans, strict=True))
        while turn := list(islice(pairs, _TOKENS_A_TURN)):
            response.tokens.extend(_to_token(*pair, text, added) for pair in turn)
            await asyncio.sleep(0)  # the loop belongs to all streams
        return response

    async def Detokenize(  # noqa: N802 - the contract's name
        self, request: pb.DetokenizeRequest, context: Any
    ) -> pb.DetokenizeResponse:
        """Turn ids into text."""
        tokenizer = self._serving.model(request.model).tokenizer
        skips = request.skip_special_tokens or not request.HasField("skip_special_tokens")
        text = await tokenizer.decode(request.token_ids, skip_special_tokens=skips)
        return pb.DetokenizeResponse(text=text)

    async def CountTokens(  # noqa: N802 - the contract's name
        self, request: pb.CountTokensRequest, context: Any
    ) -> pb.CountTokensResponse:
        """Measure a prompt."""
        loaded, asked = self._read(request, context)
        prompt = (await loaded.prompter.measure(asked)).prompt
        return pb.CountTokensResponse(
            prompt_tokens=prompt.token_count, parts=to_part_usages(prompt.placeholders)
        )

    async def RenderPrompt(  # noqa: N802 - the contract's name
        self, request: pb.RenderPromptRequest, context: Any
    ) -> pb.RenderPromptResponse:
        """Show a prompt."""
        loaded, asked = self._read(request, context)
        preview = await loaded.prompter.preview(asked)
        return _to_render_response(preview, loaded.prompt_format.name)

    def _read(
        self, request: pb.CountTokensRequest | pb.RenderPromptRequest, context: Any
    ) -> tuple[LoadedModel, GenerationRequest]:
        if not request.HasField("request"):
            raise InvalidRequestError("request", "is not set; put a GenerateRequest there")
        loaded = self._serving.model(request.request.model)
        caller = caller_of(context, self._caller_header)
        asked = to_generation_request(request.request, caller)
        return loaded, with_deadline(asked, request.request.output_options, context)


async def _texts_of_added(encoded: EncodedText, tokenizer: Tokenizer) -> dict[int, bytes]:
    """Return the texts of the tokens that no text stands for."""
    pairs = zip(encoded.token_ids, encoded.spans, strict=True)
    added = {token_id for token_id, span in pairs if span.start == span.end}
    texts = [await tokenizer.decode([one], skip_special_tokens=False) for one in added]
    return {one: text.encode() for one, text in zip(added, texts, strict=True)}


def _to_token(token_id: int, span: ByteSpan, text: bytes, added: dict[int, bytes]) -> pb.Token:
    return pb.Token(
        id=token_id,
        piece=text[span.start : span.end] or added[token_id],
        start_byte=span.start,
        end_byte=span.end,
    )


def _to_render_response(preview: PromptPreview, prompt_format: str) -> pb.RenderPromptResponse:
    return pb.RenderPromptResponse(
        text=preview.text,
        token_ids=preview.token_ids,
        placeholders=_to_placeholders(preview.placeholders),
        literal_spans=map(_to_text_span, preview.literal_spans),
        limits=[
            pb.PromptLimit(name=limit.name, limit=limit.limit, actual=limit.actual)
            for limit in preview.limits
        ],
        prompt_format=prompt_format,
    )


def _to_placeholders(placeholders: Sequence[PreviewedPlaceholder]) -> list[pb.PlaceholderSpan]:
    return [
        pb.PlaceholderSpan(
            field=one.span.field,
            offset=one.span.offset,
            length=one.span.length,
            text_span=None if one.text_span is None else _to_text_span(one.text_span),
        )
        for one in placeholders
    ]


def _to_text_span(span: ByteSpan) -> pb.TextSpan:
    return pb.TextSpan(start_byte=span.start, end_byte=span.end)
