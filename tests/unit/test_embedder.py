"""The way of an embedding request, on fakes: how many at once, what fails, and what is undone."""

from __future__ import annotations

import asyncio
import dataclasses
import math

import pytest

from service.domain.conversation import ImagePart, InlineData, MediaSource, RawText, RawTokenIds
from service.domain.embedding import EmbeddingOptions, EmbeddingRequest
from service.domain.events import GenerationRequest
from service.domain.model import EmbeddingSize, Task
from service.errors import (
    EngineUnavailableError,
    InvalidRequestError,
    MediaUndecodableError,
    PromptTooLongError,
    ShuttingDownError,
)
from tests.fakes.fake_engine import PLACEHOLDER_IDS, FakeEngine
from tests.fakes.fake_way import FakeWay

SIZE = EmbeddingSize(4)


@pytest.fixture
def way() -> FakeWay:
    way = FakeWay()
    way.engine.model = dataclasses.replace(
        way.engine.model, tasks=(Task.EMBED,), embedding=SIZE, adapters=("loud",)
    )
    return way


@pytest.fixture
def engine(way: FakeWay) -> FakeEngine:
    return way.engine


def of_texts(*texts: str, model: str = "", **options: object) -> EmbeddingRequest:
    inputs = tuple(GenerationRequest(model, RawText(text)) for text in texts)
    return EmbeddingRequest(model, inputs, EmbeddingOptions(**options))


def of_pictures(*pictures: bytes) -> EmbeddingRequest:
    parts = [ImagePart("media[0].image", MediaSource(InlineData(data))) for data in pictures]
    prompts = [RawTokenIds((1, PLACEHOLDER_IDS[0], 2), (part,)) for part in parts]
    return EmbeddingRequest("", tuple(GenerationRequest("", prompt) for prompt in prompts))


async def test_each_input_has_its_vector_in_the_order_of_the_request(way: FakeWay) -> None:
    found = await way.embedder.embed(of_texts("a", "abc", "ab", normalize=False))

    assert [vector.values[0] for vector in found.vectors] == [1, 3, 2]
    assert [vector.prompt_tokens for vector in found.vectors] == [1, 3, 2]
    assert (found.usage.prompt_tokens, found.usage.cached_tokens) == (6, 3)
    assert found.usage.completion_tokens == 0


async def test_media_are_told_part_by_part_and_in_all(way: FakeWay) -> None:
    found = await way.embedder.embed(of_pictures(b"xy", b"zz"))

    assert [[span.length for span in vector.placeholders] for vector in found.vectors] == [[2], [2]]
    assert found.usage.media_tokens == {"image": 4}
    assert found.usage.prompt_tokens == 8


async def test_the_model_or_adapter_is_told_and_used(way: FakeWay, engine: FakeEngine) -> None:
    assert (await way.embedder.embed(of_texts("a"))).model == "fake"
    assert (await way.embedder.embed(of_texts("a", model="loud"))).model == "loud"
    assert engine.adapters == ["", "loud"]


async def test_length_is_the_models_unless_it_is_asked_for(way: FakeWay) -> None:
    (usual,) = (await way.embedder.embed(of_texts("abc"))).vectors
    (raw,) = (await way.embedder.embed(of_texts("abc", normalize=False))).vectors

    assert math.hypot(*usual.values) == pytest.approx(1)
    assert math.hypot(*raw.values) > 1


@pytest.mark.parametrize(
    ("size", "dimensions", "length"),
    [
        (EmbeddingSize(4), None, 4),
        (EmbeddingSize(4), 4, 4),
        (EmbeddingSize(4, can_be_shortened=True), 3, 3),
        (EmbeddingSize(4, can_be_shortened=True, shortened=(2, 4)), 2, 2),
    ],
)
async def test_a_vector_has_the_dimensions_that_are_asked_for(
    way: FakeWay, size: EmbeddingSize, dimensions: int | None, length: int
) -> None:
    way.engine.model = dataclasses.replace(way.engine.model, embedding=size)
    found = await way.embedder.embed(of_texts("a", dimensions=dimensions))
    assert len(found.vectors[0].values) == length


@pytest.mark.parametrize(
    ("size", "dimensions", "problem"),
    [
        (EmbeddingSize(4), 2, "cannot be shortened"),
        (EmbeddingSize(4, can_be_shortened=True), 5, "between 1 and 4, got 5"),
        (EmbeddingSize(4, can_be_shortened=True, shortened=(1, 2)), 3, "one of 1, 2, got 3"),
    ],
)
async def test_dimensions_that_the_model_has_not_are_refused(
    way: FakeWay, size: EmbeddingSize, dimensions: int, problem: str
) -> None:
    """Before any prompt is made."""
    way.engine.model = dataclasses.replace(way.engine.model, embedding=size)
    with pytest.raises(InvalidRequestError, match=problem) as refusal:
        await way.embedder.embed(of_texts("a", dimensions=dimensions))
    assert refusal.value.metadata["field"] == "dimensions"
    assert way.engine.prompts == []


async def test_a_prompt_may_fill_the_whole_context(way: FakeWay, engine: FakeEngine) -> None:
    """No token is left for an answer, for there is none."""
    most = engine.model.max_model_tokens
    found = await way.embedder.embed(of_texts("x" * most))
    assert found.usage.prompt_tokens == most
    with pytest.raises(PromptTooLongError):
        await way.embedder.embed(of_texts("x" * (most + 1)))


@pytest.mark.parametrize(
    ("request_", "field", "error"),
    [
        (of_texts("a", "b", "x" * 65), "inputs[2].prompt", PromptTooLongError),
        (of_pictures(b"xy", b"broken", b"zz"), "inputs[1].media[0].image", MediaUndecodableError),
        (
            EmbeddingRequest("", (GenerationRequest("", RawTokenIds((1, 300))),)),
            "inputs[0].token_ids.ids[1]",
            InvalidRequestError,
        ),
    ],
)
async def test_one_bad_input_fails_the_call_and_is_named(
    way: FakeWay, request_: EmbeddingRequest, field: str, error: type[InvalidRequestError]
) -> None:
    with pytest.raises(error) as refusal:
        await way.embedder.embed(request_)

    assert refusal.value.violations[0][0] == field
    assert refusal.value.metadata["field"] == field
    assert refusal.value.message.startswith(f"{field}: ")
    assert not way.engine.running


@pytest.mark.parametrize(
    ("request_", "most"),
    [
        (of_texts(*("a" for _ in range(100))), 32),
        (of_pictures(*(b"xy" for _ in range(20))), 4),
    ],
    ids=["texts", "pictures"],
)
async def test_inputs_are_sent_some_at_once(
    way: FakeWay, engine: FakeEngine, request_: EmbeddingRequest, most: int
) -> None:
    """All side by side would fill the memory; one by one would leave the engine idle."""
    engine.hold.clear()
    call = asyncio.create_task(way.embedder.embed(request_))
    while len(engine.running) < most:  # noqa: ASYNC110 - the fake tells by its state
        await asyncio.sleep(0)
    engine.hold.set()
    found = await call

    assert len(found.vectors) == len(request_.inputs)
    assert engine.most_at_once == most


async def test_cancelling_stops_all_inputs(way: FakeWay, engine: FakeEngine) -> None:
    engine.hold.clear()
    call = asyncio.create_task(way.embedder.embed(of_texts("a", "b", "c")))
    while len(engine.running) < 3:  # noqa: ASYNC110 - the fake tells by its state
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not engine.running


async def test_a_failure_stops_the_other_inputs(way: FakeWay, engine: FakeEngine) -> None:
    engine.hold.clear()
    with pytest.raises(PromptTooLongError):
        await way.embedder.embed(of_texts("a", "b", "x" * 65))
    assert not engine.running


async def test_a_dead_engine_is_told_as_for_answers(way: FakeWay, engine: FakeEngine) -> None:
    engine.die()
    with pytest.raises(EngineUnavailableError):
        await way.embedder.embed(of_texts("a", "b"))


async def test_inputs_wait_their_turn_as_requests_do(way: FakeWay, engine: FakeEngine) -> None:
    """And are refused as they are, here by a server that stops."""
    way.admission.close()
    with pytest.raises(ShuttingDownError):
        await way.embedder.embed(of_texts("a"))
    assert engine.most_at_once == 0
