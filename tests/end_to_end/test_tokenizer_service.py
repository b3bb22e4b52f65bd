"""Counts, prompts and tokens agree with what the engine answers to, on the bundled demo model."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from tests.end_to_end.media_parts import medium
from tests.end_to_end.requests import (
    MEDIA,
    Refusal,
    answer,
    ask,
    audio,
    image,
    started,
    text,
    video,
)
from tests.unit.media.files import encode_video, grey_frames, tone
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    sampling_pb2,
    tokenizer_service_pb2,
    tokenizer_service_pb2_grpc,
)

PICTURE = (MEDIA / "picture.jpg").read_bytes()
SECOND_PICTURE = (MEDIA / "second_picture.png").read_bytes()
SOUND = (MEDIA / "sound.wav").read_bytes()
TONE = (MEDIA / "tone.mp3").read_bytes()
CLIP = (MEDIA / "clip.mp4").read_bytes()
IMAGE, AUDIO = "<|IMAGE|>", "<|AUDIO|>"
WORDS = "Grüße, 世界! <|IMAGE|> \U0001f600"

PROMPTS = {
    "text": (text(WORDS),),
    "image": (image(PICTURE), text("What is this?")),
    "smaller image": (
        medium("image", {"data": PICTURE}, max_pixels=40_000),
        text("What is this?"),
    ),
    "wav": (text("What do you hear?"), audio(SOUND)),
    "mp3": (audio(TONE), text("What do you hear?")),
    "part of a sound": (medium("audio", {"data": SOUND}, start_s=0.1, end_s=0.6),),
    "video": (video(CLIP), text("Which way does it move?")),
    "few frames": (medium("video", {"data": CLIP}, num_frames=2),),
    "all": (
        audio(SOUND),
        text("and"),
        image(PICTURE),
        video(CLIP),
        image(SECOND_PICTURE),
        text("?"),
    ),
}


@pytest.fixture(scope="session")
def tokens(channel: grpc.Channel) -> tokenizer_service_pb2_grpc.TokenizerServiceStub:
    return tokenizer_service_pb2_grpc.TokenizerServiceStub(channel)


def count(
    tokens: Any, request: generation_service_pb2.GenerateRequest
) -> tokenizer_service_pb2.CountTokensResponse:
    return tokens.CountTokens(tokenizer_service_pb2.CountTokensRequest(request=request))


def render(
    tokens: Any, request: generation_service_pb2.GenerateRequest
) -> tokenizer_service_pb2.RenderPromptResponse:
    return tokens.RenderPrompt(tokenizer_service_pb2.RenderPromptRequest(request=request))


def tokenize(tokens: Any, words: str, **options: bool) -> list[tokenizer_service_pb2.Token]:
    request = tokenizer_service_pb2.TokenizeRequest(text=words, **options)
    return list(tokens.Tokenize(request).tokens)


def finished(
    *media: conversation_pb2.Part, **prompt: object
) -> generation_service_pb2.GenerateRequest:
    """Return a request of a prompt that the caller has finished; greedy."""
    return generation_service_pb2.GenerateRequest(
        media=media,
        sampling=sampling_pb2.SamplingParams(temperature=0.0, max_tokens=64),
        **prompt,
    )


@pytest.mark.parametrize("name", PROMPTS)
def test_counting_and_rendering_tell_what_the_answer_starts_with(
    generation: Any, tokens: Any, name: str
) -> None:
    """The same tokens, part by part, whether media were only measured or prepared."""
    request = ask(*PROMPTS[name])

    counted, rendered = count(tokens, request), render(tokens, request)
    first = started(generation, request)

    assert counted.prompt_tokens == len(rendered.token_ids) == first.prompt_tokens
    assert list(counted.parts) == list(first.parts)
    assert [(one.field, one.length) for one in rendered.placeholders] == [
        (one.field, one.tokens) for one in first.parts
    ]
    for one in rendered.placeholders:
        assert len({*rendered.token_ids[one.offset : one.offset + one.length]}) == 1


def test_a_video_with_its_sound_is_counted_too(generation: Any, tokens: Any) -> None:
    """Its sound takes tokens between those of its frames, which no header tells."""
    clip = encode_video(grey_frames(30), sound=tone(440, 3.0, 48_000))
    silent, heard = (
        ask(medium("video", {"data": clip}, use_sound=use_sound), text("?"))
        for use_sound in (False, True)
    )

    counted, rendered = count(tokens, heard), render(tokens, heard)
    first = started(generation, heard)

    assert counted.prompt_tokens == len(rendered.token_ids) == first.prompt_tokens
    assert list(counted.parts) == list(first.parts)
    assert counted.prompt_tokens > count(tokens, silent).prompt_tokens


def test_a_rendered_prompt_tells_who_wrote_what(tokens: Any) -> None:
    """A placeholder that a user typed is one of the user's words, and no place of a medium."""
    rendered = render(tokens, ask(text(WORDS), image(PICTURE), text("?")))

    data = rendered.text.encode()
    written = [data[span.start_byte : span.end_byte].decode() for span in rendered.literal_spans]
    (placeholder,) = rendered.placeholders
    place = placeholder.text_span
    assert written == [WORDS, "?"]
    assert data[place.start_byte : place.end_byte].decode() == IMAGE
    assert place.start_byte > rendered.literal_spans[0].end_byte
    assert rendered.prompt_format == "qwen2.5-omni"


def test_a_finished_text_gets_the_answer_of_its_conversation(generation: Any, tokens: Any) -> None:
    """The rendered text, with the placeholders that the template wrote, is the same prompt."""
    media = (audio(SOUND), image(PICTURE))
    conversation = ask(media[0], text("and"), media[1], text("What is this?"))
    rendered = render(tokens, conversation)
    by_hand = finished(*media, text=rendered.text)

    again = render(tokens, by_hand)

    assert again.token_ids == rendered.token_ids
    assert [one.field for one in again.placeholders] == ["media[0].audio", "media[1].image"]
    assert count(tokens, by_hand).prompt_tokens == len(rendered.token_ids)
    answers = [answer(generation, request) for request in (conversation, by_hand)]
    assert answers[0].outputs[0].text == answers[1].outputs[0].text


def test_finished_token_ids_get_the_answer_of_their_conversation(
    generation: Any, tokens: Any
) -> None:
    """One placeholder's id for each medium, as Tokenize gives it."""
    conversation = ask(image(PICTURE), text("What is this?"))
    rendered = render(tokens, conversation)
    found = tokenize(tokens, rendered.text, trust_special_tokens=True)
    ids = generation_service_pb2.TokenIds(ids=[token.id for token in found])
    by_hand = finished(image(PICTURE), token_ids=ids)

    assert render(tokens, by_hand).token_ids == rendered.token_ids
    answers = [answer(generation, request) for request in (conversation, by_hand)]
    assert answers[0].outputs[0].text == answers[1].outputs[0].text


def test_a_text_without_placeholders_gets_them_in_front(generation: Any, tokens: Any) -> None:
    """As the model is used to see them, a line each."""
    request = finished(image(PICTURE), audio(SOUND), text="What is this?")

    rendered = render(tokens, request)

    assert rendered.text == (
        f"<|vision_bos|>{IMAGE}<|vision_eos|>\n<|audio_bos|>{AUDIO}<|audio_eos|>\nWhat is this?"
    )
    assert started(generation, request).prompt_tokens == len(rendered.token_ids)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (
            finished(image(PICTURE), text=f"{IMAGE}{IMAGE}?"),
            f"2 placeholders {IMAGE} for 1 image part",
        ),
        (
            finished(image(PICTURE), image(PICTURE), text=f"{IMAGE}?"),
            f"1 placeholder {IMAGE} for 2 image parts",
        ),
        (finished(text=f"{AUDIO}?"), f"1 placeholder {AUDIO} for 0 audio parts"),
        (
            finished(
                image(PICTURE), token_ids=generation_service_pb2.TokenIds(ids=[ord("a"), ord("b")])
            ),
            f"0 placeholders {IMAGE} for 1 image part",
        ),
    ],
    ids=["too many", "too few", "no media", "token ids"],
)
def test_placeholders_that_are_not_as_many_as_the_media_are_refused(
    generation: Any, request_: generation_service_pb2.GenerateRequest, problem: str
) -> None:
    """With both numbers; the engine lives."""
    refusal = Refusal.of(generation, request_)

    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == ["media"]
    assert problem in refusal.message
    assert answer(generation, ask(text("Hello"))).outputs[0].text


def test_a_prompt_that_is_too_long_is_shown_and_counted(generation: Any, tokens: Any) -> None:
    """The number is the one that Generate refuses it with, media included."""
    request = ask(text("one two three " * 1000), image(PICTURE))

    rendered = render(tokens, request)
    refusal = Refusal.of(generation, ask(text("one two three " * 1000)))

    limit = rendered.limits[0]
    assert (limit.name, limit.limit) == ("max_model_tokens", 2047)
    assert limit.actual == len(rendered.token_ids) == count(tokens, request).prompt_tokens
    (placeholder,) = rendered.placeholders
    assert refusal.info.reason == "PROMPT_TOO_LONG"
    without_image = limit.actual - placeholder.length - 2  # its two markers
    assert int(refusal.info.metadata["actual"]) == without_image


def test_too_many_media_are_shown_and_told(tokens: Any) -> None:
    """The prompt stands there as it would be; nothing is decoded."""
    rendered = render(tokens, ask(*[image(b"no picture")] * 5))

    broken = [limit for limit in rendered.limits if limit.actual > limit.limit]
    assert [(limit.name, limit.limit, limit.actual) for limit in broken] == [("image_parts", 4, 5)]
    assert rendered.text.count(IMAGE) == 5
    assert not rendered.placeholders


@pytest.mark.parametrize("trusts", [False, True])
def test_tokens_become_the_text_again(tokens: Any, trusts: bool) -> None:
    """Their pieces lie one behind the other, to the byte."""
    found = tokenize(tokens, WORDS, trust_special_tokens=trusts)

    ids = [token.id for token in found]
    request = tokenizer_service_pb2.DetokenizeRequest(token_ids=ids, skip_special_tokens=False)
    assert tokens.Detokenize(request).text == WORDS
    assert b"".join(token.piece for token in found) == WORDS.encode()
    assert [token.start_byte for token in found[1:]] == [token.end_byte for token in found[:-1]]
    assert (IMAGE.encode() in {token.piece for token in found}) == trusts


def test_special_tokens_are_left_out_of_a_text_unless_asked_for(tokens: Any) -> None:
    ids = [token.id for token in tokenize(tokens, f"a{IMAGE}b", trust_special_tokens=True)]

    plain = tokens.Detokenize(tokenizer_service_pb2.DetokenizeRequest(token_ids=ids))

    assert plain.text == "ab"


def test_an_id_that_is_no_token_is_named(tokens: Any) -> None:
    with pytest.raises(grpc.RpcError) as failure:
        tokens.Detokenize(tokenizer_service_pb2.DetokenizeRequest(token_ids=[1, 999_999]))

    refusal = Refusal(failure.value)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == ["token_ids[1]"]
