"""The way of one request, on fakes: what is said when, and what is undone when it ends early."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineData,
    MediaSource,
    Message,
    Modality,
    Part,
    RawText,
    RawTokenIds,
    Role,
    TextPart,
    VideoPart,
)
from service.domain.events import (
    Completed,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    Started,
    TextDelta,
)
from service.domain.sampling import Sampling
from service.errors import (
    EngineUnavailableError,
    InvalidRequestError,
    LimitExceededError,
    MediaUndecodableError,
    ModalityUnsupportedError,
    PromptTooLongError,
    TokenizerUnavailableError,
)
from service.generator import Generator
from tests.fakes.fake_engine import PLACEHOLDER_IDS, FakeEngine
from tests.fakes.fake_media_preparer import FakeMediaPreparer
from tests.fakes.fake_renderer import MEDIUM_MARKS
from tests.fakes.fake_way import FakeWay


@pytest.fixture
def way() -> FakeWay:
    return FakeWay()


@pytest.fixture
def engine(way: FakeWay) -> FakeEngine:
    return way.engine


@pytest.fixture
def generator(way: FakeWay) -> Generator:
    return way.generator


@pytest.fixture
def preparer(way: FakeWay) -> FakeMediaPreparer:
    return way.preparer


def ask(*parts: Part, **options: object) -> GenerationRequest:
    conversation = Conversation((Message(Role.USER, parts),))
    return GenerationRequest(model="", prompt=conversation, **options)


def _source(data: bytes) -> MediaSource:
    return MediaSource(InlineData(data))


def image(data: bytes = b"xy", field: str = "image 1") -> ImagePart:
    return ImagePart(field, _source(data))


async def run(generator: Generator, request: GenerationRequest) -> list[Event]:
    async with aclosing(generator.generate(request)) as events:
        return [event async for event in events]


async def test_events_come_in_the_order_of_the_contract(generator: Generator) -> None:
    events = await run(generator, ask(TextPart("hi")))
    assert [type(event) for event in events] == [
        Started,
        TextDelta,
        TextDelta,
        OutputFinished,
        Completed,
    ]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello"


async def test_the_token_that_ends_an_answer_is_counted_but_not_written(
    generator: Generator, engine: FakeEngine
) -> None:
    engine.stop_id = ord("!")
    events = await run(generator, ask(TextPart("hi"), include_token_ids=True))
    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert "".join(delta.text for delta in deltas) == "Hello"
    assert [i for delta in deltas for i in delta.token_ids] == [*b"Hello!"]
    assert events[-1].usage.completion_tokens == 6


async def test_half_a_character_is_never_sent(generator: Generator, engine: FakeEngine) -> None:
    euro = "€".encode()
    engine.steps = [b"1" + euro[:1], euro[1:2], euro[2:], euro[:2]]
    events = await run(generator, ask(TextPart("hi")))
    texts = [event.text for event in events if isinstance(event, TextDelta)]
    assert texts == ["1", "€"]


async def test_ids_beyond_the_tokenizer_are_counted_but_are_no_text(
    generator: Generator, engine: FakeEngine
) -> None:
    """Many a model's vocabulary is padded beyond its tokenizer's."""
    engine.steps = [[ord("a"), 5000, ord("b"), 5001], [5002], [ord("c")]]
    events = await run(generator, ask(TextPart("hi"), include_token_ids=True))
    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert [delta.text for delta in deltas] == ["ab", "", "c", ""]
    assert [i for delta in deltas for i in delta.token_ids][:6] == [97, 5000, 98, 5001, 5002, 99]
    assert events[-1].usage.completion_tokens == 7


async def test_reaching_max_tokens_ends_with_length(generator: Generator) -> None:
    events = await run(generator, ask(TextPart("hi"), sampling=Sampling(max_tokens=3)))
    assert events[-2] == OutputFinished(0, FinishReason.LENGTH)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Hel"


async def test_several_outputs_keep_their_texts_apart(
    generator: Generator, engine: FakeEngine
) -> None:
    events = await run(generator, ask(TextPart("hi"), sampling=Sampling(n=2)))
    texts = ["", ""]
    for event in events:
        if isinstance(event, TextDelta):
            texts[event.output_index] += event.text
    assert texts == ["Hello", "Hello"]
    assert [e.output_index for e in events if isinstance(e, OutputFinished)] == [0, 1]


async def test_media_reach_the_engine_in_reading_order(
    generator: Generator, engine: FakeEngine
) -> None:
    audio = AudioPart("audio 1", _source(b"zz"))
    events = await run(generator, ask(image(b"a", "image 1"), TextPart("?"), audio, image(b"b")))
    token_ids, media = engine.prompts[0]
    assert [one for one in token_ids if one in PLACEHOLDER_IDS] == [297, 298, 297]
    assert [item.field for item in media] == ["image 1", "audio 1", "image 1"]
    usage = events[-1].usage
    assert usage.media_tokens == {Modality.IMAGE: 4, Modality.AUDIO: 2}
    assert [span.field for span in events[0].placeholders] == ["image 1", "audio 1", "image 1"]


async def test_a_placeholder_typed_by_a_user_is_plain_text(
    generator: Generator, engine: FakeEngine
) -> None:
    await run(generator, ask(TextPart(f"see {MEDIUM_MARKS[Modality.IMAGE]}"), image()))
    token_ids, media = engine.prompts[0]
    assert token_ids.count(PLACEHOLDER_IDS[0]) == len(media) == 1


async def test_timings_tell_only_the_stages_that_happened(generator: Generator) -> None:
    plain = (await run(generator, ask(TextPart("hi"))))[-1].timings
    assert plain.decode_s is None
    assert plain.preprocess_s is None
    assert (plain.queue_s, plain.prefill_s, plain.generate_s) == (0.1, 0.2, 0.3)
    seen = (await run(generator, ask(image(b"a"), image(b"b"))))[-1].timings
    assert (seen.fetch_s, seen.decode_s, seen.preprocess_s) == (1.0, 0.5, 0.25)
    assert seen.cached_media_parts == 0


async def test_media_that_were_prepared_before_are_told(generator: Generator) -> None:
    """Nothing of them was decoded now; a part that is new was."""
    await run(generator, ask(image(b"a")))
    again = (await run(generator, ask(image(b"a"))))[-1].timings
    assert (again.fetch_s, again.decode_s, again.preprocess_s) == (0.5, None, None)
    assert again.cached_media_parts == 1
    mixed = (await run(generator, ask(image(b"a"), image(b"b"))))[-1].timings
    assert (mixed.fetch_s, mixed.decode_s, mixed.cached_media_parts) == (1.0, 0.25, 1)


async def test_caller_and_limits_reach_the_media(
    generator: Generator, preparer: FakeMediaPreparer
) -> None:
    with pytest.raises(LimitExceededError) as refusal:
        await run(generator, ask(image(b"abc"), caller="anna", media_limits={"part_bytes": 2}))
    assert refusal.value.metadata["limit"] == "part_bytes"
    assert preparer.callers == ["anna"]


@pytest.mark.parametrize(
    "request_",
    [
        ask(TextPart("x" * 100), image()),
        ask(image(), sampling=Sampling(stop_token_ids=(300,))),
        ask(image(), image(), image()),
    ],
    ids=["prompt too long", "no such stop token", "too many parts"],
)
async def test_no_medium_is_touched_for_a_request_that_fails_anyway(
    generator: Generator, preparer: FakeMediaPreparer, request_: GenerationRequest
) -> None:
    with pytest.raises(InvalidRequestError):
        await run(generator, request_)
    assert not preparer.callers


async def test_finished_prompts_skip_the_renderer(generator: Generator, engine: FakeEngine) -> None:
    await run(generator, GenerationRequest("", RawText("ab<|256|>")))
    await run(generator, GenerationRequest("", RawTokenIds((1, 2))))
    assert [ids for ids, _ in engine.prompts] == [[97, 98, 256], [1, 2]]


@pytest.mark.parametrize(
    ("request_", "error", "field"),
    [
        (ask(image(b"broken")), MediaUndecodableError, "image 1"),
        (ask(image(b"x"), image(b"broken", "image 2")), MediaUndecodableError, "image 2"),
        (ask(image(), image(), image(field="third")), LimitExceededError, "third"),
        (
            ask(VideoPart("video 1", _source(b"x"))),
            ModalityUnsupportedError,
            "video 1",
        ),
        (ask(TextPart("x" * 100)), PromptTooLongError, "prompt"),
        (GenerationRequest("", RawTokenIds((1, 300))), InvalidRequestError, "token_ids.ids[1]"),
        (
            ask(TextPart("x"), sampling=Sampling(stop_token_ids=(1, 2, 300))),
            InvalidRequestError,
            "sampling.stop_token_ids[2]",
        ),
    ],
)
async def test_a_refusal_names_the_field_and_leaves_nothing_behind(
    generator: Generator,
    engine: FakeEngine,
    request_: GenerationRequest,
    error: type[InvalidRequestError],
    field: str,
) -> None:
    with pytest.raises(error) as refusal:
        await run(generator, request_)
    assert refusal.value.violations[0][0] == field
    assert not engine.running


async def test_closing_the_stream_stops_the_engine(
    generator: Generator, engine: FakeEngine
) -> None:
    engine.hold.clear()
    events = generator.generate(ask(TextPart("hi")))
    assert isinstance(await anext(events), Started)
    await anext(events)
    assert engine.running
    await events.aclose()
    assert not engine.running


async def test_cancelling_the_task_stops_the_engine(
    generator: Generator, engine: FakeEngine
) -> None:
    engine.hold.clear()
    first_delta = asyncio.Event()

    async def consume() -> None:
        async with aclosing(generator.generate(ask(TextPart("hi")))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    first_delta.set()

    task = asyncio.create_task(consume())
    await first_delta.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not engine.running


async def test_an_engine_that_dies_ends_the_stream_with_unavailable(
    generator: Generator, engine: FakeEngine
) -> None:
    engine.hold.clear()
    events = generator.generate(ask(TextPart("hi")))
    await anext(events)
    await anext(events)
    engine.die()
    with pytest.raises(EngineUnavailableError):
        await anext(events)


async def test_a_tokenizer_that_is_away_is_unavailable(
    generator: Generator, engine: FakeEngine, way: FakeWay
) -> None:
    way.tokenizer.is_available = False
    with pytest.raises(TokenizerUnavailableError):
        await run(generator, ask(TextPart("hi")))
    assert not engine.prompts
