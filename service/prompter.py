"""The way from a request to a prompt, whoever asks: for an answer, for its size, or to see it.

A conversation is rendered, a text gets the places of its media where it has none, token ids are
taken as they are. What is wrong with a prompt is found before any medium costs something; then the
media are prepared and put into their places.

Tested by tests/unit/test_prompter.py on fakes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.domain.conversation import (
    Conversation,
    MediaPart,
    Modality,
    PromptOptions,
    RawText,
    RawTokenIds,
    VideoPart,
)
from service.domain.events import GenerationRequest, Timings
from service.domain.media import PreparedMedia, PreparedPrompt
from service.domain.prompt import RenderedPrompt
from service.domain.prompt_preview import MeasuredPrompt, PromptLimit, PromptPreview
from service.place_encoder import PlaceEncoder
from service.ports import Engine, MediaPreparer, PromptRenderer, Tokenizer
from service.prompt_checks import (
    check_ids,
    check_kinds,
    check_length,
    check_numbers,
    check_places,
)
from service.text_spans import locate_placeholders

_MOST_TOKENS_SHOWN = 1 << 20


@dataclass(frozen=True, slots=True)
class PromptOfRequest:
    """A prompt that the engine can answer, and what its media took."""

    prompt: PreparedPrompt
    timings: Timings


@dataclass(frozen=True, slots=True)
class _WrittenPrompt:
    """A prompt whose media have not taken their places; `rendered` is None where ids came."""

    token_ids: Sequence[int]
    rendered: RenderedPrompt | None = None


@dataclass(frozen=True, slots=True)
class Prompter:
    """Makes prompts with the parts that it was given. Every method raises errors of errors.py."""

    engine: Engine
    tokenizer: Tokenizer
    media_preparer: MediaPreparer
    renderer: PromptRenderer
    _encoder: PlaceEncoder = field(init=False)

    def __post_init__(self) -> None:
        """Make what encodes conversations."""
        encoder = PlaceEncoder(self.tokenizer, self.renderer.places)
        object.__setattr__(self, "_encoder", encoder)

    async def prompt(self, request: GenerationRequest) -> PromptOfRequest:
        """Make the prompt to answer."""
        parts = self._checked_parts(request)
        written = await self._write(request)
        media: list[PreparedMedia] = []
        if parts:
            check_length(written.token_ids, self.engine.model.max_prompt_tokens)
            media = await self._prepare(parts, request)
        prompt = await self.engine.prepare(written.token_ids, media)
        return PromptOfRequest(prompt, _media_timings(media))

    async def measure(self, request: GenerationRequest) -> MeasuredPrompt:
        """Make the prompt of media that show nothing, of the sizes that the headers tell."""
        parts = self._checked_parts(request)
        written = await self._write(request)
        self._check_showable(written)
        if any(isinstance(part, VideoPart) and part.use_sound for part in parts):
            # No header tells how frames and sound will lie between each other.
            descriptions, media = [], await self._prepare(parts, request)
        else:
            descriptions = await self.media_preparer.describe(
                parts, caller=request.caller, limits=request.media_limits
            )
            media = await self.media_preparer.prepare_blanks(parts, descriptions)
        prompt = await self.engine.prepare(written.token_ids, media, may_be_too_long=True)
        return MeasuredPrompt(prompt, tuple(descriptions))

    async def preview(self, request: GenerationRequest) -> PromptPreview:
        """Make the prompt to look at: one that is too long, or has too many media, is one too."""
        parts = request.prompt.media_parts()
        part_limits = self.engine.model.part_limits
        check_kinds(parts, part_limits)
        written = await self._write(request)
        self._check_showable(written)
        limits = [
            PromptLimit(f"{kind}_parts", limit, sum(part.modality is kind for part in parts))
            for kind, limit in part_limits.items()
        ]
        prompt = PreparedPrompt(len(written.token_ids), (), None, {}, written.token_ids)
        if all(limit.actual <= limit.limit for limit in limits):
            media = await self._prepare(parts, request)
            prompt = await self.engine.prepare(written.token_ids, media, may_be_too_long=True)
        most_tokens = self.engine.model.max_prompt_tokens
        limits.insert(0, PromptLimit("max_model_tokens", most_tokens, prompt.context_tokens))
        rendered = written.rendered or RenderedPrompt(
            await self.tokenizer.decode(written.token_ids, skip_special_tokens=False)
        )
        places = self.renderer.places.find(rendered.text)
        return PromptPreview(
            text=rendered.text,
            token_ids=prompt.token_ids,
            placeholders=locate_placeholders(prompt.placeholders, rendered, places),
            literal_spans=rendered.literal_spans,
            limits=tuple(limits),
        )

    def _checked_parts(self, request: GenerationRequest) -> tuple[MediaPart, ...]:
        parts = request.prompt.media_parts()
        check_kinds(parts, self.engine.model.part_limits)
        check_numbers(parts, self.engine.model.part_limits)
        return parts

    def _check_showable(self, written: _WrittenPrompt) -> None:
        """Refuse what would hold all streams up for seconds, only to show that it is too long."""
        if len(written.token_ids) > _MOST_TOKENS_SHOWN:
            check_length(written.token_ids, self.engine.model.max_prompt_tokens)

    async def _prepare(
        self, parts: Sequence[MediaPart], request: GenerationRequest
    ) -> list[PreparedMedia]:
        if not parts:
            return []
        return await self.media_preparer.prepare(
            parts, caller=request.caller, limits=request.media_limits
        )

    async def _write(self, request: GenerationRequest) -> _WrittenPrompt:
        options = request.prompt_options
        match request.prompt:
            case RawTokenIds(token_ids, media):
                check_ids("token_ids.ids", token_ids, self.engine.model.vocabulary_size)
                await self._check_places_in(token_ids, media)
                return _WrittenPrompt(self._truncate(token_ids, options))
            case RawText(text, media):
                rendered = RenderedPrompt(self._place_media(text, media))
                encoded = await self.tokenizer.encode(
                    rendered.text, add_special_tokens=options.add_special_tokens
                )
            case conversation:
                rendered = await self._render(conversation, options)
                kinds = {part.modality for part in conversation.media_parts()}
                encoded = await self._encoder.encode(rendered, kinds)
        return _WrittenPrompt(self._truncate(encoded, options), rendered)

    def _truncate(self, token_ids: Sequence[int], options: PromptOptions) -> Sequence[int]:
        """Keep the end of a prompt, if its request says how much of it."""
        wanted = options.truncate_prompt_tokens
        if wanted is None:
            return token_ids
        most = self.engine.model.max_prompt_tokens
        return token_ids[-(most if wanted < 0 else min(wanted, most)) :]

    async def _render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        rendered = await self.renderer.render(conversation, options)
        if options.trust_special_tokens:  # a text part may hold placeholders too
            self._check_places("conversation", rendered.text, conversation.media_parts())
        return rendered

    def _place_media(self, text: str, parts: Sequence[MediaPart]) -> str:
        """Put places in front of a text that has none; else they must be as many as the media."""
        places = self.renderer.places
        if any(True for _ in places.find(text)):
            self._check_places("media", text, parts)
            return text
        numbers: Counter[Modality] = Counter()
        strings = []
        for part in parts:
            numbers[part.modality] += 1
            string = places.string_for(part.modality, numbers[part.modality])
            if string is not None:
                strings.append(string)
        # The strings may be known where the placeholders in them are not.
        if any(string in text for string in strings):
            return text
        return "\n".join([*strings, text])

    def _check_places(self, field: str, text: str, parts: Sequence[MediaPart]) -> None:
        places = self.renderer.places
        found = (place.modality for place in places.find(text))
        check_places(field, found, parts, places.placeholders)

    async def _check_places_in(self, token_ids: Sequence[int], parts: Sequence[MediaPart]) -> None:
        placeholders = self.renderer.places.placeholders
        # Of those with several ids the first and last may be others, for what is beside them.
        kinds = {
            token_id: kind
            for kind, placeholder in placeholders.items()
            for token_id, *more in [await self._encoder.ids_of(placeholder)]
            if not more
        }
        found = (kinds[token_id] for token_id in token_ids if token_id in kinds)
        known = {kind: placeholders[kind] for kind in kinds.values()}
        check_places("media", found, parts, known)


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
