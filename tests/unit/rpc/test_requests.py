"""Requests become domain objects, or one refusal that names everything that is wrong."""

from __future__ import annotations

import math
from random import Random

import pytest
from google.protobuf.message import DecodeError

from service.domain.conversation import (
    AudioPart,
    Conversation,
    DataUri,
    ImagePart,
    MediaSource,
    Origin,
    RawText,
    RawTokenIds,
    RemoteUrl,
    Role,
    ServerPath,
    StoredMedia,
    TextPart,
    VideoPart,
)
from service.errors import InvalidRequestError, TriptychError
from service.rpc.requests import to_generation_request
from triptych.v1 import conversation_pb2, generation_service_pb2, media_pb2, sampling_pb2

USER, ASSISTANT = conversation_pb2.ROLE_USER, conversation_pb2.ROLE_ASSISTANT
DATA = media_pb2.MediaSource(data=b"bytes")


def ask(*parts: conversation_pb2.Part, role: int = USER) -> generation_service_pb2.GenerateRequest:
    message = conversation_pb2.Message(role=role, parts=parts)
    return generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=[message])
    )


def text(words: str) -> conversation_pb2.Part:
    return conversation_pb2.Part(text=words)


def refused_fields(request: generation_service_pb2.GenerateRequest) -> list[str]:
    with pytest.raises(InvalidRequestError) as refusal:
        to_generation_request(request)
    return [field for field, _ in refusal.value.violations]


def test_every_part_knows_its_path_in_the_request() -> None:
    request = ask(
        text("look"),
        conversation_pb2.Part(image=media_pb2.ImagePart(source=DATA, max_pixels=5)),
        conversation_pb2.Part(audio=media_pb2.AudioPart(source=DATA, start_s=0, end_s=1)),
        conversation_pb2.Part(video=media_pb2.VideoPart(source=DATA, num_frames=3)),
    )
    prompt = to_generation_request(request).prompt
    assert isinstance(prompt, Conversation)
    words, image, audio, video = prompt.messages[0].parts
    assert words == TextPart("look")
    assert isinstance(image, ImagePart)
    assert (image.field, image.max_pixels) == ("conversation.messages[0].parts[1].image", 5)
    assert isinstance(audio, AudioPart)
    assert (audio.field, audio.start_s, audio.end_s) == (
        "conversation.messages[0].parts[2].audio",
        0,
        1,
    )
    assert isinstance(video, VideoPart)
    assert (video.field, video.fps, video.num_frames) == (
        "conversation.messages[0].parts[3].video",
        None,
        3,
    )


def test_unset_is_not_zero() -> None:
    unset = to_generation_request(ask(text("x"))).sampling
    assert (unset.temperature, unset.seed, unset.max_tokens, unset.n) == (None, None, None, 1)
    request = ask(text("x"))
    request.sampling.temperature = 0
    request.sampling.seed = 0
    request.sampling.skip_special_tokens = False
    zero = to_generation_request(request).sampling
    assert (zero.temperature, zero.seed, zero.skip_special_tokens) == (0, 0, False)


def test_finished_prompts_are_passed_on() -> None:
    request = generation_service_pb2.GenerateRequest(text="<|im_start|>")
    assert to_generation_request(request).prompt == RawText("<|im_start|>")
    request.token_ids.ids.extend([1, 2])
    assert to_generation_request(request).prompt == RawTokenIds((1, 2))


def test_a_finished_prompt_has_its_media_beside_it() -> None:
    image = conversation_pb2.Part(image=media_pb2.ImagePart(source=DATA))
    audio = conversation_pb2.Part(audio=media_pb2.AudioPart(source=DATA))
    request = generation_service_pb2.GenerateRequest(text="hi", media=[image, audio])
    request.prompt_options.add_special_tokens = True
    made = to_generation_request(request)
    assert isinstance(made.prompt, RawText)
    assert [part.field for part in made.prompt.media] == ["media[0].image", "media[1].audio"]
    assert made.prompt_options.add_special_tokens
    request.token_ids.ids.append(1)
    assert [part.field for part in to_generation_request(request).prompt.media_parts()] == [
        "media[0].image",
        "media[1].audio",
    ]


def test_what_is_no_medium_beside_a_finished_prompt_is_refused() -> None:
    empty = conversation_pb2.Part(image=media_pb2.ImagePart())
    request = generation_service_pb2.GenerateRequest(
        text="hi", media=[text("hi"), conversation_pb2.Part(), empty]
    )
    assert refused_fields(request) == ["media[0].text", "media[1]", "media[2].image"]


def test_a_conversation_carries_its_media_itself() -> None:
    request = ask(text("hi"))
    request.media.append(conversation_pb2.Part(image=media_pb2.ImagePart(source=DATA)))
    assert refused_fields(request) == ["media"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", -2),
        ("min_p", 1.5),
        ("presence_penalty", -2.1),
        ("frequency_penalty", 2.1),
        ("repetition_penalty", 0),
        ("n", 0),
        ("n", 65),
        ("max_tokens", 0),
        ("min_tokens", -1),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    request = ask(text("x"))
    setattr(request.sampling, name, value)
    assert refused_fields(request) == [f"sampling.{name}"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    request = generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(
            messages=[
                conversation_pb2.Message(parts=[conversation_pb2.Part()]),
                conversation_pb2.Message(role=USER),
                conversation_pb2.Message(
                    role=USER,
                    parts=[
                        conversation_pb2.Part(image=media_pb2.ImagePart()),
                        conversation_pb2.Part(
                            audio=media_pb2.AudioPart(source=DATA, start_s=2, end_s=1)
                        ),
                        conversation_pb2.Part(
                            video=media_pb2.VideoPart(source=media_pb2.MediaSource(data=b""), fps=0)
                        ),
                    ],
                ),
            ]
        ),
        sampling=sampling_pb2.SamplingParams(max_tokens=1, min_tokens=2),
    )
    messages = "conversation.messages"
    assert refused_fields(request) == [
        f"{messages}[0].role",
        f"{messages}[0].parts[0]",
        f"{messages}[1].parts",
        f"{messages}[2].parts[0].image",
        f"{messages}[2].parts[1].audio.end_s",
        f"{messages}[2].parts[2].video.fps",
        f"{messages}[2].parts[2].video",
        "sampling.min_tokens",
    ]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (generation_service_pb2.GenerateRequest(), "prompt"),
        (generation_service_pb2.GenerateRequest(text=""), "text"),
        (
            generation_service_pb2.GenerateRequest(token_ids=generation_service_pb2.TokenIds()),
            "token_ids.ids",
        ),
        (
            generation_service_pb2.GenerateRequest(conversation=conversation_pb2.Conversation()),
            "conversation.messages",
        ),
    ],
)
def test_an_empty_prompt_is_refused(
    request_: generation_service_pb2.GenerateRequest, field: str
) -> None:
    assert refused_fields(request_) == [field]


def test_continuing_needs_an_assistants_message_and_no_new_turn() -> None:
    request = ask(text("The answer is"), role=ASSISTANT)
    request.prompt_options.continue_final_message = True
    options = to_generation_request(request).prompt_options
    assert (options.continue_final_message, options.add_generation_prompt) == (True, False)
    assert Role.ASSISTANT == to_generation_request(request).prompt.messages[-1].role
    request.prompt_options.add_generation_prompt = True
    assert refused_fields(request) == ["prompt_options.add_generation_prompt"]
    from_user = ask(text("x"))
    from_user.prompt_options.continue_final_message = True
    assert refused_fields(from_user) == ["prompt_options.continue_final_message"]


@pytest.mark.parametrize(
    ("kind", "origin"),
    [
        ("url", RemoteUrl("file:///etc/passwd")),
        ("data_uri", DataUri("file:///etc/passwd")),
        ("path", ServerPath("file:///etc/passwd")),
        ("media_id", StoredMedia("file:///etc/passwd")),
    ],
)
def test_every_source_is_passed_on_as_it_was_written(kind: str, origin: Origin) -> None:
    """Whether it is allowed is not for the door to say."""
    source = media_pb2.MediaSource(**{kind: "file:///etc/passwd"}, mime_type="image/png")
    request = ask(conversation_pb2.Part(image=media_pb2.ImagePart(source=source)))
    (part,) = to_generation_request(request).prompt.media_parts()
    assert part.source == MediaSource(origin, mime_type="image/png")


@pytest.mark.parametrize("kind", ["data", "url", "data_uri", "path", "media_id"])
def test_an_empty_source_is_refused(kind: str) -> None:
    """It is set, and names nothing."""
    source = media_pb2.MediaSource(**{kind: b"" if kind == "data" else ""})
    request = ask(conversation_pb2.Part(image=media_pb2.ImagePart(source=source)))
    assert refused_fields(request) == ["conversation.messages[0].parts[0].image"]


def test_whatever_bytes_come_only_our_errors_leave() -> None:
    """Fuzz: valid requests with bytes flipped, parsed and converted."""
    rng = Random(7)
    request = ask(
        text("look"), conversation_pb2.Part(video=media_pb2.VideoPart(source=DATA, fps=1, end_s=3))
    )
    request.sampling.CopyFrom(
        sampling_pb2.SamplingParams(temperature=1, top_p=0.5, n=2, seed=-1, stop_token_ids=[1])
    )
    whole = request.SerializeToString()
    converted = 0
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            parsed = generation_service_pb2.GenerateRequest.FromString(bytes(damaged))
        except DecodeError:
            continue
        try:
            to_generation_request(parsed)
        except TriptychError:
            continue
        converted += 1
    assert converted > 0
