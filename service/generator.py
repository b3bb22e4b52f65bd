"""The way of one request: prompt rendered and tokenized, media prepared, answered, made text.

Written against ports only. The order of events is the contract's: `Started`, any number of
`TextDelta`, one `OutputFinished` for each output, `Completed`. Closing the iterator at any
point stops the engine's work and forgets the decoders.

Tested by tests/unit/test_generator.py on fakes and by tests/end_to_end on the real engine.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from service.domain.conversation import (
    Conversation,
    MediaPart,
    Modality,
    RawText,
    RawTokenIds,
    VideoPart,
)
from service.domain.events import (
    Completed,
    EngineDelta,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    Started,
    TextDelta,
    Timings,
    Usage,
)
from service.domain.media import PreparedMedia, PreparedPrompt
from service.domain.prompt import RenderedPrompt
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    ModalityUnsupportedError,
    PromptTooLongError,
)
from service.ports import Engine, MediaPreparer, PromptRenderer, Tokenizer, TokenStream


@dataclass(frozen=True, slots=True)
class Generator:
    """Answers requests with the parts that it was given."""

    engine: Engine
    tokenizer: Tokenizer
    media_preparer: MediaPreparer
    renderer: PromptRenderer

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Answer one request; raises the errors of errors.py before or between events."""
        vocabulary_size = self.engine.model.vocabulary_size
        _check_ids("sampling.stop_token_ids", request.sampling.stop_token_ids, vocabulary_size)
        request_id = uuid.uuid4().hex
        parts = self._media_parts(request)
        # What is wrong with the prompt is found before any medium costs something.
        token_ids = await self._tokenize(request)
        media: list[PreparedMedia] = []
        if parts:
            _check_length(token_ids, self.engine.model.max_model_tokens)
            media = await self.media_preparer.prepare(
                parts, caller=request.caller, limits=request.media_limits
            )
        prompt = await self.engine.prepare(token_ids, media)
        yield Started(request_id, self.engine.model.name, prompt.token_count, prompt.placeholders)
        timings = _media_timings(media)
        # They may be large, and the answer long.
        media.clear()
        async with aclosing(self._answer(request_id, request, prompt, timings)) as events:
            async for event in events:
                yield event

    def _media_parts(self, request: GenerationRequest) -> tuple[MediaPart, ...]:
        if not isinstance(request.prompt, Conversation):
            return ()
        parts = request.prompt.media_parts()
        _check_parts(parts, self.engine.model.part_limits)
        return parts

    async def _tokenize(self, request: GenerationRequest) -> Sequence[int]:
        match request.prompt:
            case RawTokenIds(token_ids):
                _check_ids("token_ids.ids", token_ids, self.engine.model.vocabulary_size)
                return token_ids
            case RawText(text):
                rendered = RenderedPrompt(text)
            case conversation:
                rendered = await self.renderer.render(conversation, request.prompt_options)
        return await self.tokenizer.encode(rendered.text, literal_spans=rendered.literal_spans)

    async def _answer(
        self, request_id: str, request: GenerationRequest, prompt: PreparedPrompt, timings: Timings
    ) -> AsyncGenerator[Event, None]:
        decoder = _OutputDecoder(self.tokenizer, request)
        usage: Counter[str] = Counter()
        last = EngineDelta(0, ())
        stream = self.engine.generate(request_id, prompt, request.sampling)
        try:
            async with aclosing(stream):
                async for delta in stream:
                    last = delta
                    usage["completion"] += len(delta.token_ids)
                    usage["cached"] = max(usage["cached"], delta.cached_tokens)
                    for event in await decoder.decode(delta):
                        yield event
        finally:
            decoder.close()
        yield Completed(
            Usage(
                prompt.token_count,
                _tokens_by_modality(prompt),
                usage["cached"],
                usage["completion"],
            ),
            dataclasses.replace(
                timings,
                queue_s=last.queue_s,
                prefill_s=last.prefill_s,
                generate_s=last.generate_s,
            ),
        )


class _OutputDecoder:
    """Turns the engine's deltas into events, with one token stream for each output."""

    def __init__(self, tokenizer: Tokenizer, request: GenerationRequest) -> None:
        self._include_token_ids = request.include_token_ids
        self._streams: list[TokenStream] = [
            tokenizer.open_stream(skip_special_tokens=request.sampling.skip_special_tokens)
            for _ in range(request.sampling.n)
        ]

    async def decode(self, delta: EngineDelta) -> list[Event]:
        stream = self._streams[delta.output_index]
        text = (await stream.append(_visible_ids(delta))).text
        if delta.finish_reason is not None:
            text += (await stream.flush()).text
        events: list[Event] = []
        ids = delta.token_ids if self._include_token_ids else ()
        if text or ids:
            events.append(TextDelta(delta.output_index, text, ids))
        if delta.finish_reason is not None:
            events.append(
                OutputFinished(delta.output_index, delta.finish_reason, delta.stop_token_id)
            )
        return events

    def close(self) -> None:
        for stream in self._streams:
            stream.close()


def _media_timings(media: Sequence[PreparedMedia]) -> Timings:
    """Add up the stages of all parts; a stage that no part went through stays unset."""

    def total(times: list[float | None]) -> float | None:
        known = [time_s for time_s in times if time_s is not None]
        return sum(known) if known else None

    return Timings(
        fetch_s=total([one.fetch_s for one in media]),
        decode_s=total([one.decode_s for one in media]),
        preprocess_s=total([one.preprocess_s for one in media]),
        cached_media_parts=sum(one.was_cached for one in media),
    )


def _visible_ids(delta: EngineDelta) -> tuple[int, ...]:
    """Leave out the token that ended the answer, as vLLM's own detokenizer does."""
    return delta.token_ids[:-1] if delta.finish_reason is FinishReason.STOP else delta.token_ids


def _check_parts(parts: Sequence[MediaPart], limits: dict[Modality, int]) -> None:
    counts: Counter[Modality] = Counter()
    for part in parts:
        counts[part.modality] += 1
        if part.modality not in limits:
            takes = ", ".join(limits) or "text only"
            raise ModalityUnsupportedError(
                part.field,
                f"the model does not take {part.modality}; it takes {takes}",
                modality=str(part.modality),
            )
        if isinstance(part, VideoPart) and part.use_sound and Modality.AUDIO not in limits:
            raise ModalityUnsupportedError(
                f"{part.field}.use_sound", "the model hears nothing", modality=Modality.AUDIO.value
            )
        if counts[part.modality] > limits[part.modality]:
            total = sum(other.modality is part.modality for other in parts)
            limit = limits[part.modality]
            raise LimitExceededError(part.field, f"{part.modality} parts a request", limit, total)


def _check_length(token_ids: Sequence[int], max_model_tokens: int) -> None:
    """Refuse a prompt that is too long without its media; one token is left for the answer."""
    limit = max_model_tokens - 1
    if len(token_ids) > limit:
        raise PromptTooLongError("prompt", "max_model_tokens", limit, len(token_ids))


def _check_ids(field: str, token_ids: Sequence[int], vocabulary_size: int) -> None:
    for index, token_id in enumerate(token_ids):
        if token_id >= vocabulary_size:
            raise InvalidRequestError(
                f"{field}[{index}]",
                f"{token_id} is not below the vocabulary's size of {vocabulary_size}",
            )


def _tokens_by_modality(prompt: PreparedPrompt) -> dict[Modality, int]:
    totals: Counter[Modality] = Counter()
    for span in prompt.placeholders:
        totals[span.modality] += span.length
    return dict(totals)
