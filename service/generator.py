"""The way of one request: its prompt made, answered, made text.

Written against ports only. The order of events is the contract's: `Started`, any number of
`TextDelta`, one `OutputFinished` for each output, `Completed`. Closing the iterator at any
point stops the engine's work and forgets the decoders.

Tested by tests/unit/test_generator.py on fakes and by tests/end_to_end on the real engine.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from service.domain.conversation import Modality
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
from service.domain.media import PreparedPrompt
from service.errors import InvalidRequestError
from service.ports import Engine, Tokenizer, TokenStream
from service.prompt_checks import check_ids
from service.prompter import Prompter


@dataclass(frozen=True, slots=True)
class Generator:
    """Answers requests with the parts that it was given."""

    engine: Engine
    tokenizer: Tokenizer
    prompter: Prompter

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Answer one request; raises the errors of errors.py before or between events."""
        vocabulary_size = self.engine.model.vocabulary_size
        check_ids("sampling.stop_token_ids", request.sampling.stop_token_ids, vocabulary_size)
        request_id = uuid.uuid4().hex
        made = await self.prompter.prompt(request)
        prompt = made.prompt
        yield Started(request_id, self.engine.model.name, prompt.token_count, prompt.placeholders)
        async with aclosing(self._answer(request_id, request, prompt, made.timings)) as events:
            async for event in events:
                yield event

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
        text = await _append_known(stream, _visible_ids(delta))
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


async def _append_known(stream: TokenStream, token_ids: tuple[int, ...]) -> str:
    """Decode ids; those that the tokenizer does not have are no text.

    The last rows of many models' vocabularies are padding, and a model may give one all the same.
    """
    while True:
        try:
            return (await stream.append(token_ids)).text
        except InvalidRequestError as error:
            unknown = _UNKNOWN_ID.fullmatch(error.violations[0][0])
            if unknown is None:
                raise
            index = int(unknown[1])
            token_ids = token_ids[:index] + token_ids[index + 1 :]


# How the Tokenizer port names an id that it does not have.
_UNKNOWN_ID = re.compile(r"token_ids\[(\d+)\]")


def _visible_ids(delta: EngineDelta) -> tuple[int, ...]:
    """Leave out the token that ended the answer, as vLLM's own detokenizer does."""
    return delta.token_ids[:-1] if delta.finish_reason is FinishReason.STOP else delta.token_ids


def _tokens_by_modality(prompt: PreparedPrompt) -> dict[Modality, int]:
    totals: Counter[Modality] = Counter()
    for span in prompt.placeholders:
        totals[span.modality] += span.length
    return dict(totals)
