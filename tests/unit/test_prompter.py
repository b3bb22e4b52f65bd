"""From a request to a prompt, on fakes: for an answer, for its size, and to look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import pytest

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineData,
    MediaPart,
    MediaSource,
    Message,
    Modality,
    Prompt,
    PromptOptions,
    RawText,
    RawTokenIds,
    Role,
    TextPart,
    VideoPart,
)
from service.domain.events import GenerationRequest
from service.domain.media import MediaDescription
from service.domain.prompt import ByteSpan, Place
from service.domain.prompt_preview import PromptLimit
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    MediaUndecodableError,
    ModalityUnsupportedError,
    PromptTooLongError,
)
from service.prompter import Prompter
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_renderer import MEDIUM_MARKS, FakePlaces, FakeRenderer
from tests.fakes.fake_way import FakeWay

IMAGE, AUDIO = MEDIUM_MARKS[Modality.IMAGE], MEDIUM_MARKS[Modality.AUDIO]
IMAGE_ID, AUDIO_ID = 297, 298
BEGIN_ID = 256


def image(data: bytes = b"xy", field: str = "media[0].image") -> ImagePart:
    return ImagePart(field, MediaSource(InlineData(data)))


def audio(field: str = "media[1].audio") -> AudioPart:
    return AudioPart(field, MediaSource(InlineData(b"zz")))


def video(**options: object) -> VideoPart:
    return VideoPart("media[0].video", MediaSource(InlineData(b"v")), **options)


def ask(prompt: Prompt, **options: object) -> GenerationRequest:
    return GenerationRequest("", prompt, **options)


def say(*parts: TextPart | MediaPart, **options: object) -> GenerationRequest:
    conversation = Conversation((Message(Role.USER, parts),))
    return ask(conversation, prompt_options=PromptOptions(**options))


@pytest.fixture
def way() -> FakeWay:
    return FakeWay()


@pytest.fixture
def prompter(way: FakeWay) -> Prompter:
    return way.prompter


@pytest.fixture
def engine(way: FakeWay) -> FakeEngine:
    return way.engine


async def test_a_text_without_places_gets_those_of_its_media_in_front(
    prompter: Prompter, engine: FakeEngine
) -> None:
    """Each with what belongs around it and its number, a line each, in the order of the media."""
    media = (image(), audio(), image(b"z"))
    await prompter.prompt(ask(RawText("What?", media)))
    ids, prepared = engine.prompts[0]
    expected = f"[1:{IMAGE}]\n[1:{AUDIO}]\n[2:{IMAGE}]\nWhat?"
    assert await FakeWay().tokenizer.decode(ids, skip_special_tokens=False) == expected
    assert [one.item for one in prepared] == [b"xy", b"zz", b"z"]


class _StringsOnly(FakePlaces):
    """A model of which no more is known than what a text needs for a medium."""

    placeholders: Mapping[Modality, str] = {}

    def find(self, text: str) -> Iterator[Place]:
        """Find nothing."""
        return iter(())


async def test_places_of_an_unknown_model_are_the_engines_to_count(way: FakeWay) -> None:
    """Strings that stand in the text are not added again."""
    renderer = FakeRenderer()
    renderer.places = _StringsOnly()
    prompter = Prompter(way.engine, way.tokenizer, way.preparer, renderer)
    whole = f"[1:{IMAGE}]\n[1:{AUDIO}]\n?"
    for text in ("?", whole):
        await prompter.prompt(ask(RawText(text, (image(), audio()))))
    first, second = (ids for ids, _ in way.engine.prompts)
    assert first == second == [*b"[1:", IMAGE_ID, *b"]\n[1:", AUDIO_ID, *b"]\n?"]
    with pytest.raises(InvalidRequestError, match="its placeholders do not match its media"):
        await prompter.prompt(ask(RawText(f"[1:{IMAGE}]", (image(), audio()))))


async def test_the_places_that_a_caller_wrote_are_used_as_they_are(
    prompter: Prompter, engine: FakeEngine
) -> None:
    made = await prompter.prompt(ask(RawText(f"a{AUDIO}b{IMAGE}", (image(), audio()))))
    assert engine.prompts[0][0] == [*b"a", AUDIO_ID, *b"b", IMAGE_ID]
    assert made.prompt.token_count == 6


async def test_token_ids_are_taken_as_they_are(prompter: Prompter, engine: FakeEngine) -> None:
    await prompter.prompt(ask(RawTokenIds((1, IMAGE_ID, 2, IMAGE_ID), (image(), image()))))
    assert engine.prompts[0][0] == [1, IMAGE_ID, 2, IMAGE_ID]


TOO_MANY = f"the prompt has 2 placeholders {IMAGE} for 1 image part"
BOTH_WRONG = (
    f"the prompt has 1 placeholder {IMAGE} for 0 image parts; "
    f"the prompt has 0 placeholders {AUDIO} for 1 audio part"
)
TOO_FEW = f"the prompt has 1 placeholder {IMAGE} for 2 image parts"


@pytest.mark.parametrize(
    ("prompt", "field", "problem"),
    [
        (RawText(f"{IMAGE}{IMAGE}", (image(),)), "media", TOO_MANY),
        (RawText(f"{IMAGE}?", (image(), image())), "media", TOO_FEW),
        (RawTokenIds((IMAGE_ID, IMAGE_ID), (image(),)), "media", TOO_MANY),
        (RawTokenIds((1, IMAGE_ID), (image(), image())), "media", TOO_FEW),
        (RawTokenIds((1,), (image(),)), "media", f"has 0 placeholders {IMAGE} for 1 image part"),
        (RawText(f"see {IMAGE}"), "media", f"has 1 placeholder {IMAGE} for 0 image parts"),
        (RawTokenIds((AUDIO_ID,)), "media", f"has 1 placeholder {AUDIO} for 0 audio parts"),
        (
            RawText(f"{IMAGE}", (audio(),)),
            "media",
            BOTH_WRONG,
        ),
    ],
)
async def test_places_that_are_not_as_many_as_the_media_are_refused_with_both_numbers(
    prompter: Prompter, way: FakeWay, prompt: Prompt, field: str, problem: str
) -> None:
    """Before any medium is touched."""
    with pytest.raises(InvalidRequestError) as refusal:
        await prompter.prompt(ask(prompt))
    assert refusal.value.violations[0][0] == field
    assert problem in refusal.value.violations[0][1]
    assert not way.preparer.callers


async def test_a_million_places_are_counted_up_to_a_thousand(prompter: Prompter) -> None:
    with pytest.raises(InvalidRequestError, match="only its first 1000 placeholders were counted"):
        await prompter.prompt(ask(RawText(IMAGE * 1_000_000, (image(),))))


async def test_places_in_a_trusted_text_part_count_too(prompter: Prompter) -> None:
    """The caller says that all texts are its own, and so are the control tokens in them."""
    with pytest.raises(InvalidRequestError, match="2 placeholders") as refusal:
        await prompter.prompt(say(TextPart(IMAGE), image(), trust_special_tokens=True))
    assert refusal.value.violations[0][0] == "conversation"
    await prompter.prompt(say(TextPart(IMAGE), image()))


async def test_special_tokens_are_added_to_a_text_that_asks_for_them(
    prompter: Prompter, engine: FakeEngine
) -> None:
    adds = PromptOptions(add_special_tokens=True)
    for prompt in (RawText("a"), RawTokenIds((97,)), Conversation(())):
        await prompter.prompt(ask(prompt, prompt_options=adds))
    await prompter.prompt(ask(RawText("a")))
    assert [ids for ids, _ in engine.prompts] == [[BEGIN_ID, 97], [97], [], [97]]


@pytest.mark.parametrize(
    ("prompt", "error", "field"),
    [
        (RawText("a", (video(),)), ModalityUnsupportedError, "media[0].video"),
        (RawText("a", (image(),) * 3), LimitExceededError, "media[0].image"),
        (RawTokenIds((1, 300), (image(),)), InvalidRequestError, "token_ids.ids[1]"),
        (RawText("x" * 100, (image(),)), PromptTooLongError, "prompt"),
    ],
)
async def test_all_forms_are_checked_before_media_are_touched(
    prompter: Prompter,
    way: FakeWay,
    prompt: Prompt,
    error: type[InvalidRequestError],
    field: str,
) -> None:
    with pytest.raises(error) as refusal:
        await prompter.prompt(ask(prompt))
    assert refusal.value.violations[0][0] == field
    assert not way.preparer.callers


async def test_a_prompt_is_measured_by_what_headers_tell(
    prompter: Prompter, engine: FakeEngine
) -> None:
    """The media are as large as the real ones, and show nothing."""
    request = ask(RawText("What?", (image(b"broken"), audio())), caller="anna")
    measured = await prompter.measure(request)
    assert [one.item for one in engine.prompts[0][1]] == [bytes(6), bytes(2)]
    assert [(one.field, one.length) for one in measured.prompt.placeholders] == [
        ("media[0].image", 2),
        ("media[1].audio", 2),
    ]
    assert measured.descriptions[0] == MediaDescription(Modality.IMAGE, "application/fake", 6, 6, 1)


async def test_a_video_with_its_sound_is_measured_by_the_real_thing(way: FakeWay) -> None:
    """How its frames and its sound lie between each other is not in a header."""
    limits = {Modality.AUDIO: 1, Modality.VIDEO: 1}
    way.engine.model = dataclasses.replace(way.engine.model, part_limits=limits)
    measured = await way.prompter.measure(ask(RawText("?", (video(use_sound=True),))))
    assert way.engine.prompts[0][1][0].item == b"v"
    assert not measured.descriptions


async def test_a_prompt_that_is_too_long_is_measured_all_the_same(prompter: Prompter) -> None:
    measured = await prompter.measure(ask(RawText("x" * 100, (image(),))))
    assert measured.prompt.token_count == 100 + len("[1:]\n") + 2


async def test_measuring_keeps_the_callers_limits(prompter: Prompter, way: FakeWay) -> None:
    request = ask(RawText("?", (image(b"abc"),)), caller="anna", media_limits={"part_bytes": 2})
    with pytest.raises(LimitExceededError):
        await prompter.measure(request)
    with pytest.raises(LimitExceededError):
        await prompter.preview(request)
    assert way.preparer.callers == ["anna", "anna"]


async def test_a_preview_is_the_prompt_with_its_media(prompter: Prompter) -> None:
    """Ids, spans of both kinds, and which bytes a user wrote; places that a user typed are text."""
    preview = await prompter.preview(say(TextPart(f"é{AUDIO}"), audio(), image(), TextPart("?")))
    text = f"user:é{AUDIO}{AUDIO}{IMAGE}?"
    assert preview.text == text
    assert preview.token_ids == [
        *f"user:é{AUDIO}".encode(),
        *([AUDIO_ID] * 2),
        *([IMAGE_ID] * 2),
        *b"?",
    ]
    written = 5 + 2 + len(AUDIO)
    assert preview.literal_spans == (
        ByteSpan(5, written),
        ByteSpan(written + len(AUDIO + IMAGE), len(text.encode())),
    )
    assert [(one.span.field, one.span.offset, one.text_span) for one in preview.placeholders] == [
        ("media[1].audio", written, ByteSpan(written, written + len(AUDIO))),
        (
            "media[0].image",
            written + 2,
            ByteSpan(written + len(AUDIO), written + len(AUDIO + IMAGE)),
        ),
    ]


async def test_a_preview_tells_each_limit(prompter: Prompter) -> None:
    preview = await prompter.preview(say(TextPart("hi"), image()))
    assert preview.limits == (
        PromptLimit("max_model_tokens", 63, len("user:hi") + 2),
        PromptLimit("image_parts", 2, 1),
        PromptLimit("audio_parts", 1, 0),
    )


async def test_what_is_too_long_is_shown(prompter: Prompter) -> None:
    preview = await prompter.preview(say(TextPart("x" * 100), image()))
    assert len(preview.token_ids) == 107
    assert preview.limits[0] == PromptLimit("max_model_tokens", 63, 107)


async def test_a_prompt_of_a_whole_library_is_not_shown(prompter: Prompter) -> None:
    """To show it would hold all streams up."""
    library = ask(RawTokenIds((1,) * ((1 << 20) + 1)))
    for make in (prompter.measure, prompter.preview):
        with pytest.raises(PromptTooLongError, match="max_model_tokens is 63, got 1048577"):
            await make(library)


async def test_too_many_media_are_shown_but_not_looked_at(prompter: Prompter, way: FakeWay) -> None:
    preview = await prompter.preview(say(*[image()] * 3))
    assert preview.text == f"user:{IMAGE * 3}"
    assert preview.token_ids == [*b"user:", *[IMAGE_ID] * 3]
    assert preview.limits[1] == PromptLimit("image_parts", 2, 3)
    assert not preview.placeholders
    assert not way.preparer.callers


async def test_token_ids_are_shown_as_their_text(prompter: Prompter) -> None:
    preview = await prompter.preview(ask(RawTokenIds((97, IMAGE_ID), (image(),))))
    assert preview.text == f"a{IMAGE}"
    assert preview.token_ids == [97, IMAGE_ID, IMAGE_ID]
    assert preview.placeholders[0].text_span == ByteSpan(1, 1 + len(IMAGE))


async def test_a_place_that_may_be_another_is_not_told(prompter: Prompter) -> None:
    """Ids may have the placeholder's letters as text, and then its text stands there twice."""
    prompt = RawTokenIds((*IMAGE.encode(), IMAGE_ID), (image(),))
    preview = await prompter.preview(ask(prompt))
    assert preview.text == IMAGE * 2
    assert preview.placeholders[0].span.offset == len(IMAGE)
    assert preview.placeholders[0].text_span is None


async def test_looking_at_a_prompt_reads_its_media(prompter: Prompter) -> None:
    """What cannot be decoded is refused, as an answer would refuse it."""
    with pytest.raises(MediaUndecodableError):
        await prompter.preview(say(image(b"broken")))
    with pytest.raises(ModalityUnsupportedError):
        await prompter.preview(say(video()))


@pytest.mark.parametrize(
    ("keeps", "kept"), [(1, b"o"), (3, b"llo"), (100, b"hello"), (-1, b"hello")]
)
async def test_the_end_of_a_prompt_is_kept(prompter: Prompter, keeps: int, kept: bytes) -> None:
    options = PromptOptions(truncate_prompt_tokens=keeps)
    made = await prompter.prompt(ask(RawText("hello", ()), prompt_options=options))
    assert bytes(made.prompt.token_ids) == kept


@pytest.mark.parametrize("keeps", [-1, 1000])
async def test_what_is_kept_fits_the_context(prompter: Prompter, keeps: int) -> None:
    options = PromptOptions(truncate_prompt_tokens=keeps)
    asked = ask(RawTokenIds(tuple(range(64)), ()), prompt_options=options)
    assert (await prompter.prompt(asked)).prompt.token_ids == [*range(1, 64)]
