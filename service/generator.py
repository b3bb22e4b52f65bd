"""The way of one request: let in, its prompt made, answered, made text.

Written against ports only. The order of events is the contract's: `Started`, any number of
`TextDelta` (with parsers, `ReasoningDelta` and `ToolCallDelta` too), one `OutputFinished` for each
output, `Completed`. Closing the iterator at any point stops the engine's work, frees its slot and
forgets the decoders.

Tested by tests/unit/test_generator.py on fakes and by tests/end_to_end on the real engine.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from service.admission import Admission, Visit
from service.deadline import answer_by, ended_at
from service.domain.ending import Ending
from service.domain.events import (
    Completed,
    EngineDelta,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    Started,
    Usage,
)
from service.errors import DeadlineExceededError
from service.output_decoder import OutputDecoder
from service.output_parsing import OutputParsing, plan_parsing
from service.ports import Engine, OutputParsers, StructureTester, Tokenizer
from service.prompt_checks import check_ids
from service.prompter import Prompter, PromptOfRequest
from service.telemetry.progress import Stage
from service.token_texts import TokenTexts


@dataclass(frozen=True, slots=True)
class _Ready:
    """A request that the engine can answer now; `parsing` is None where text is only text."""

    request: GenerationRequest
    made: PromptOfRequest
    parsing: OutputParsing | None


@dataclass(frozen=True, slots=True)
class Generator:
    """Answers requests with the parts that it was given."""

    engine: Engine
    tokenizer: Tokenizer
    prompter: Prompter
    admission: Admission
    structures: StructureTester
    parsers: OutputParsers | None = None
    deadline_margin_s: float = 0.25
    _token_texts: TokenTexts = field(init=False)

    def __post_init__(self) -> None:
        """Texts of tokens are remembered from request to request."""
        object.__setattr__(self, "_token_texts", TokenTexts(self.tokenizer))

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Answer one request; raises the errors of errors.py before or between events."""
        self._check_ids(request)
        request_id = uuid.uuid4().hex
        end_at = answer_by(request.deadline, self.deadline_margin_s)
        if end_at is not None and request.ending is None:
            request = dataclasses.replace(request, ending=Ending())
        with (
            self.admission.visit(request.caller) as visit,
            ended_at(end_at, request.ending),
        ):
            async with visit.bounded(end_at):
                ready = await self._prepare(request, visit)
            prompt = ready.made.prompt
            model = request.model or self.engine.model.name
            yield Started(request_id, model, prompt.token_count, prompt.placeholders)
            async with aclosing(self._answer(request_id, ready, visit)) as events:
                async for event in events:
                    yield event

    async def _prepare(self, request: GenerationRequest, visit: Visit) -> _Ready:
        """Do all that comes before the engine, and take a slot of it."""
        if request.sampling.structured_output is not None:
            await self.structures.check(request.sampling.structured_output)
        plan = await plan_parsing(self.parsers, self.structures, request)
        if plan is not None:
            request = dataclasses.replace(request, sampling=plan.sampling)
        made = await self.prompter.prompt(request)
        outputs = request.sampling.n
        await visit.take_slot(made.prompt.token_count, outputs=outputs, priority=request.priority)
        parsing = None
        if plan is not None:
            parsing = OutputParsing(plan, made.prompt.context_ids, outputs)
        return _Ready(request, made, parsing)

    async def _answer(
        self, request_id: str, ready: _Ready, visit: Visit
    ) -> AsyncGenerator[Event, None]:
        request, prompt, parsing = ready.request, ready.made.prompt, ready.parsing
        decoder = OutputDecoder(
            self.tokenizer, self._token_texts, request, prompt.context_ids, parsing
        )
        cached_tokens = 0
        last = EngineDelta(0, ())
        stream = self.engine.generate(
            request_id,
            prompt,
            request.sampling,
            priority=request.priority,
            adapter=self.engine.model.adapter_of(request.model),
            reasoning=parsing.reasoning_start if parsing is not None else None,
        )
        try:
            async with aclosing(stream):
                async for delta in _until_ended(stream, request.ending):
                    last = delta
                    visit.progress.enter(Stage.WRITING)
                    cached_tokens = max(cached_tokens, delta.cached_tokens)
                    for event in await decoder.decode(delta):
                        yield event
                        if isinstance(event, OutputFinished) and delta.finish_reason is None:
                            await self.engine.end_output(request_id, event.output_index)
            # The engine has done, however long the client takes to read the rest.
            visit.leave()
            if request.ending is not None and request.ending.reason is not None:
                _check_has_begun(request.ending.reason, visit)
                for event in await decoder.end(request.ending.reason):
                    yield event
        finally:
            decoder.close()
        yield _completed(ready, last, cached_tokens, decoder.completion_tokens)

    def _check_ids(self, request: GenerationRequest) -> None:
        size = self.engine.model.vocabulary_size
        sampling = request.sampling
        check_ids("sampling.stop_token_ids", sampling.stop_token_ids, size)
        check_ids("sampling.allowed_token_ids", sampling.allowed_token_ids, size)
        check_ids("output_options.logprob_token_ids", sampling.logprob_token_ids, size)
        check_ids("sampling.logit_bias", tuple(sampling.logit_bias), size)


async def _until_ended(
    stream: AsyncGenerator[EngineDelta, None], ending: Ending | None
) -> AsyncGenerator[EngineDelta, None]:
    """Give what the engine gives; when the answer is to end early, it is stopped in its step."""
    if ending is None:
        async for delta in stream:
            yield delta
        return
    while ending.reason is None:
        found = await ending.unless_ended(anext(stream, None))
        if found is None:
            return
        yield found


def _completed(
    ready: _Ready, last: EngineDelta, cached_tokens: int, completion_tokens: int
) -> Completed:
    prompt = ready.made.prompt
    return Completed(
        Usage(
            prompt.token_count,
            dict(prompt.media_tokens),
            cached_tokens,
            completion_tokens,
            ready.parsing.reasoning_tokens if ready.parsing is not None else 0,
        ),
        dataclasses.replace(
            ready.made.timings,
            queue_s=last.queue_s,
            prefill_s=last.prefill_s,
            generate_s=last.generate_s,
        ),
    )


def _check_has_begun(reason: FinishReason, visit: Visit) -> None:
    """Raise DeadlineExceededError where the deadline came before the first token."""
    if reason is FinishReason.DEADLINE and visit.progress.stage is not Stage.WRITING:
        raise DeadlineExceededError(visit.progress.stage)
