"""From what the engine gives, ids, to what the stream carries, text: one decoder a request.

Stop strings are found here, not by the engine: it never sees text. The engine goes on with an
output that has ended so until it is told; what it gives meanwhile is dropped.

Tested by tests/unit/test_output_decoder.py on fakes and by tests/end_to_end on the real engine.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.events import (
    EngineDelta,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    PromptLogprobs,
    TextDelta,
)
from service.output_parsing import OutputParsing
from service.ports import Tokenizer, TokenStream
from service.token_texts import TokenTexts

# Prompts may be long, and each place holds many log probabilities.
_PLACES_AN_EVENT = 256


class OutputDecoder:
    """Turns the engine's deltas into events, with one token stream for each output."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        token_texts: TokenTexts,
        request: GenerationRequest,
        prompt_ids: Sequence[int],
        parsing: OutputParsing | None = None,
    ) -> None:
        self._parsing = parsing
        self._token_texts = token_texts
        self._include_token_ids = request.include_token_ids
        self._sampling = request.sampling
        self._streams: list[TokenStream] = [
            tokenizer.open_stream(
                skip_special_tokens=request.sampling.skip_special_tokens,
                stop_strings=request.sampling.stop,
                include_stop_string=request.sampling.include_stop_string,
                context_token_ids=prompt_ids,
                min_tokens=request.sampling.min_tokens or 0,
            )
            for _ in range(request.sampling.n)
        ]
        self._unfinished = set(range(request.sampling.n))
        self._has_told_prompt = False
        self.completion_tokens = 0

    def has_finished(self, output_index: int) -> bool:
        """Tell whether the output's OutputFinished was given."""
        return output_index not in self._unfinished

    async def decode(self, delta: EngineDelta) -> list[Event]:
        """Return the events of one delta; none of an output that has finished."""
        events: list[Event] = []
        if delta.prompt_logprobs and not self._has_told_prompt:
            self._has_told_prompt = True
            events += await self._prompt_events(delta)
        if self.has_finished(delta.output_index):
            return events
        stream = self._streams[delta.output_index]
        shown = self._shown_ids(delta)
        found = await stream.append(shown)
        text, stop_index, used = found.text, found.stop_index, len(delta.token_ids)
        if stop_index is not None:
            used = found.tokens_used
        elif delta.finish_reason is not None:
            rest = await stream.flush()
            text += rest.text
            stop_index = rest.stop_index
        self.completion_tokens += used
        finished = self._end_of(delta, stop_index)
        events += await self._text_events(delta, text, used, is_last=finished is not None)
        if finished is not None:
            self._unfinished.discard(delta.output_index)
            events.append(finished)
        return events

    async def end(self, reason: FinishReason) -> list[Event]:
        """End all outputs that have not finished: what was held back, and the reason."""
        events: list[Event] = []
        for index in sorted(self._unfinished):
            text = (await self._streams[index].flush()).text
            events += self._parsed(TextDelta(index, text), (), is_last=True)
            events.append(OutputFinished(index, reason))
        self._unfinished.clear()
        return events

    def close(self) -> None:
        """Forget the streams."""
        for stream in self._streams:
            stream.close()

    def _shown_ids(self, delta: EngineDelta) -> tuple[int, ...]:
        """Leave out the token that ended the answer, as vLLM's own detokenizer does."""
        ends_with_stop_token = delta.finish_reason is FinishReason.STOP
        if ends_with_stop_token and not self._sampling.include_stop_string:
            return delta.token_ids[:-1]
        return delta.token_ids

    async def _text_events(
        self, delta: EngineDelta, text: str, used: int, *, is_last: bool
    ) -> list[Event]:
        ids = delta.token_ids[:used] if self._include_token_ids else ()
        logprobs = await self._token_texts.fill(delta.logprobs[:used])
        written = TextDelta(delta.output_index, text, ids, logprobs)
        return self._parsed(written, delta.token_ids[:used], is_last=is_last)

    def _parsed(
        self, written: TextDelta, token_ids: tuple[int, ...], *, is_last: bool
    ) -> list[Event]:
        """Return the events of what was written with these ids; none where there is nothing."""
        if self._parsing is not None:
            return self._parsing.parse(written, token_ids, is_last=is_last)
        return [written] if written.text or written.token_ids or written.logprobs else []

    async def _prompt_events(self, delta: EngineDelta) -> list[Event]:
        places = delta.prompt_logprobs
        starts = range(0, len(places), _PLACES_AN_EVENT)
        return [
            PromptLogprobs(
                start + 1, await self._token_texts.fill(places[start : start + _PLACES_AN_EVENT])
            )
            for start in starts
        ]

    def _end_of(self, delta: EngineDelta, stop_index: int | None) -> OutputFinished | None:
        if stop_index is not None:
            stop = self._sampling.stop[stop_index]
            return OutputFinished(delta.output_index, FinishReason.STOP_STRING, stop_string=stop)
        if delta.finish_reason is not None:
            return OutputFinished(delta.output_index, delta.finish_reason, delta.stop_token_id)
        return None
