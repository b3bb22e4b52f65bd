"""What every `Engine` promises; the fake and the real one are held to the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from service.domain.conversation import Modality
from service.domain.events import EngineDelta, FinishReason
from service.domain.media import PreparedMedia, PreparedPrompt
from service.domain.sampling import Sampling
from service.errors import InvalidRequestError, PromptTooLongError
from service.ports import Engine

PROMPT = (1, 2, 3)
Illustrated = tuple[Sequence[int], Sequence[PreparedMedia]]


class EngineContract:
    """Subclass it with the fixtures `engine`, `run` and `illustrated`."""

    @pytest.fixture
    def engine(self) -> Engine:
        """Return the engine under test."""
        raise NotImplementedError

    @pytest.fixture
    def run(self) -> Callable[[Coroutine[Any, Any, Any]], Any]:
        """Return what runs a coroutine to its end, on the engine's loop."""
        raise NotImplementedError

    @pytest.fixture
    def illustrated(self) -> Illustrated:
        """Return a prompt's ids with places for an image, a sound and another image, and these."""
        raise NotImplementedError

    def test_the_model_is_described(self, engine: Engine) -> None:
        """Limits are known for media only, and the context has room."""
        assert Modality.TEXT not in engine.model.part_limits
        assert engine.model.max_model_tokens > 1
        assert engine.model.vocabulary_size > 0

    def test_text_has_its_length_and_no_placeholders(self, engine: Engine, run: Any) -> None:
        """A prompt without media is as long as its ids."""
        prompt = run(engine.prepare(PROMPT, []))
        assert (prompt.token_count, prompt.placeholders) == (len(PROMPT), ())

    def test_placeholders_are_those_of_the_media_in_reading_order(
        self, engine: Engine, run: Any, illustrated: Illustrated
    ) -> None:
        """One behind the other, each of some tokens, all within the prompt."""
        _, media = illustrated
        prompt = run(engine.prepare(*illustrated))

        spans = prompt.placeholders
        assert [(span.field, span.modality) for span in spans] == [
            (medium.field, medium.modality) for medium in media
        ]
        assert all(span.length > 0 for span in spans)
        starts = [span.offset for span in spans[1:]] + [prompt.token_count]
        ends = [span.offset + span.length for span in spans]
        assert all(end <= start for end, start in zip(ends, starts, strict=True))

    def test_a_prompt_with_media_is_prepared_alike_each_time(
        self, engine: Engine, run: Any, illustrated: Illustrated
    ) -> None:
        """Whatever has been made of an earlier one; here the first is never sent."""
        prompts = []
        for _ in range(3):
            prompts.append(run(engine.prepare(*illustrated)))
            if len(prompts) > 1:
                run(_answer(engine, prompts[-1], Sampling(max_tokens=2)))

        assert len({(prompt.token_count, prompt.placeholders) for prompt in prompts}) == 1

    def test_media_without_places_are_refused(
        self, engine: Engine, run: Any, illustrated: Illustrated
    ) -> None:
        """A prompt of text alone has none."""
        _, media = illustrated
        with pytest.raises(InvalidRequestError, match="placeholder"):
            run(engine.prepare(PROMPT, media))

    def test_one_finish_ends_each_output(self, engine: Engine, run: Any) -> None:
        """Nothing follows an output's finish reason, and every output has one."""
        deltas = run(_generate(engine, Sampling(n=2, temperature=1.0, max_tokens=4)))
        for index in range(2):
            reasons = [d.finish_reason for d in deltas if d.output_index == index]
            assert reasons[-1] is not None
            assert set(reasons[:-1]) <= {None}

    def test_max_tokens_is_obeyed(self, engine: Engine, run: Any) -> None:
        """An answer that is cut has exactly so many ids and ends with LENGTH."""
        deltas = run(_generate(engine, Sampling(max_tokens=1, min_tokens=1)))
        assert sum(len(delta.token_ids) for delta in deltas) == 1
        assert deltas[-1].finish_reason is FinishReason.LENGTH

    def test_the_last_delta_tells_the_times(self, engine: Engine, run: Any) -> None:
        """Queue, prefill and generation are known when all is over."""
        last = run(_generate(engine, Sampling(max_tokens=8)))[-1]
        assert None not in (last.queue_s, last.prefill_s, last.generate_s)

    def test_closing_early_is_harmless(self, engine: Engine, run: Any) -> None:
        """After a stream that was closed, the next one runs to its end."""
        run(_generate(engine, Sampling(max_tokens=8), stop_after=1))
        assert run(_generate(engine, Sampling(max_tokens=8)))[-1].finish_reason

    def test_a_prompt_beyond_the_context_is_refused(self, engine: Engine, run: Any) -> None:
        """The refusal tells the limit and the length."""
        too_long = [1] * engine.model.max_model_tokens
        with pytest.raises(PromptTooLongError) as refusal:
            run(engine.prepare(too_long, []))
        assert refusal.value.metadata["actual"] == str(len(too_long))


async def _generate(
    engine: Engine, sampling: Sampling, stop_after: int | None = None
) -> list[EngineDelta]:
    return await _answer(engine, await engine.prepare(PROMPT, []), sampling, stop_after)


async def _answer(
    engine: Engine, prompt: PreparedPrompt, sampling: Sampling, stop_after: int | None = None
) -> list[EngineDelta]:
    stream: AsyncIterator[EngineDelta] = engine.generate("contract", prompt, sampling)
    deltas = []
    async with aclosing(stream):
        async for delta in stream:
            deltas.append(delta)
            if len(deltas) == stop_after:
                break
    return deltas
