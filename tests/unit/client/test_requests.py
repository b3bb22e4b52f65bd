"""Requests as the clients build them; nothing here opens a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from triptych.v1 import conversation_pb2, generation_service_pb2, media_pb2, sampling_pb2
from triptych_client import Audio, GenerateOptions, Image, Message, Pcm, RawText, TokenIds, Video
from triptych_client._requests import build_generate_request

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.message import Message as Proto

    from triptych_client import Prompt


def kinds(message: conversation_pb2.Message) -> list[str | None]:
    """Return the kind of each part."""
    return [part.WhichOneof("kind") for part in message.parts]


def test_options_that_are_not_given_stay_unset() -> None:
    """A prompt alone sets nothing but its conversation."""
    request = build_generate_request("hi", {})

    assert [field.name for field, _ in request.ListFields()] == ["conversation"]


def test_none_is_the_same_as_not_given() -> None:
    """Callers may pass their own optional values on."""
    request = build_generate_request("hi", {"temperature": None, "system": None, "images": None})

    assert request == build_generate_request("hi", {})


def test_zero_is_not_unset() -> None:
    """A temperature of 0 and a false flag are sent."""
    request = build_generate_request("hi", {"temperature": 0, "ignore_eos": False})

    assert request.sampling.HasField("temperature")
    assert request.sampling.HasField("ignore_eos")
    assert not request.sampling.HasField("top_p")


@pytest.mark.parametrize(
    "kind",
    [
        sampling_pb2.SamplingParams,
        generation_service_pb2.PromptOptions,
        generation_service_pb2.OutputOptions,
    ],
)
def test_every_field_of_the_contract_is_an_option(kind: type[Proto]) -> None:
    """No sampling, prompt or output field is left out of the client."""
    names = {field.name for field in kind.DESCRIPTOR.fields}

    assert names <= set(GenerateOptions.__annotations__)


def test_options_arrive_in_their_messages() -> None:
    """Each option lands in the message that has its field."""
    request = build_generate_request(
        "hi",
        {
            "model": "demo",
            "max_tokens": 5,
            "seed": -3,
            "stop_token_ids": [1, 2],
            "continue_final_message": True,
            "template_arguments": {"enable_thinking": True},
            "include_token_ids": True,
        },
    )

    assert request.model == "demo"
    assert request.sampling == sampling_pb2.SamplingParams(
        max_tokens=5, seed=-3, stop_token_ids=[1, 2]
    )
    assert request.prompt_options.continue_final_message
    assert request.prompt_options.template_arguments["enable_thinking"] is True
    assert request.output_options.include_token_ids


def test_a_misspelt_option_is_refused() -> None:
    """A wrong name is no silent default."""
    options: Any = {"temprature": 1}

    with pytest.raises(TypeError, match="temprature"):
        build_generate_request("hi", options)


def test_media_arguments_go_before_the_text(tmp_path: Path) -> None:
    """Images come first, then audios, then videos, then the text."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    request = build_generate_request(
        "what?",
        {
            "videos": [clip],
            "audios": [Audio(data=b"sound", start_s=0.0, end_s=2.5)],
            "images": [b"one", Image(data=bytearray(b"two"), max_pixels=100)],
        },
    )
    (message,) = request.conversation.messages

    assert message.role == conversation_pb2.ROLE_USER
    assert kinds(message) == ["image", "image", "audio", "video", "text"]
    assert message.parts[0].image.source.data == b"one"
    assert not message.parts[0].image.HasField("max_pixels")
    assert message.parts[1].image.source.data == b"two"
    assert message.parts[1].image.max_pixels == 100
    assert message.parts[2].audio.HasField("start_s")
    assert message.parts[2].audio.end_s == 2.5
    assert message.parts[3].video.source.data == b"clip"
    assert message.parts[3].video.WhichOneof("sampling") is None


def test_a_list_of_parts_keeps_its_order() -> None:
    """Text and media alternate as the caller wrote them."""
    request = build_generate_request(
        [Image(data=b"i"), "and", Audio(data=b"a"), Video(data=b"v", num_frames=4), "?"], {}
    )
    (message,) = request.conversation.messages

    assert kinds(message) == ["image", "text", "audio", "video", "text"]
    assert message.parts[3].video.num_frames == 4


def test_a_list_of_messages_is_the_conversation() -> None:
    """Roles and parts arrive as given, with the system message before them."""
    request = build_generate_request(
        [Message("user", ["what?", Image(data=b"i")]), Message("assistant", "a cat")],
        {"system": "be short"},
    )
    system, user, assistant = request.conversation.messages

    assert system.role == conversation_pb2.ROLE_SYSTEM
    assert system.parts[0].text == "be short"
    assert user.role == conversation_pb2.ROLE_USER
    assert kinds(user) == ["text", "image"]
    assert assistant.role == conversation_pb2.ROLE_ASSISTANT
    assert assistant.parts[0].text == "a cat"


def test_finished_prompts_have_no_conversation() -> None:
    """Raw text and token ids are passed on as they are."""
    raw = build_generate_request(RawText("<|im_start|>"), {})
    ids = build_generate_request(TokenIds([1, 2]), {})

    assert raw.WhichOneof("prompt") == "text"
    assert raw.text == "<|im_start|>"
    assert list(ids.token_ids.ids) == [1, 2]


@pytest.mark.parametrize(
    ("medium", "source", "value"),
    [
        (Image(url="https://a/b.png"), "url", "https://a/b.png"),
        (Image(data_uri="data:,"), "data_uri", "data:,"),
        (Image(server_path="/a.png"), "path", "/a.png"),
        (Image(media_id="m"), "media_id", "m"),
    ],
)
def test_every_source_of_the_contract_can_be_named(medium: Image, source: str, value: str) -> None:
    """The client leaves it to the server which sources it takes."""
    request = build_generate_request(medium, {})
    sent = request.conversation.messages[0].parts[0].image.source

    assert sent.WhichOneof("source") == source
    assert getattr(sent, source) == value


def test_a_missing_file_is_a_file_not_found_error(tmp_path: Path) -> None:
    """The name of the file is in the error."""
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        build_generate_request("hi", {"images": [tmp_path / "nothing.png"]})


@pytest.mark.parametrize(
    ("prompt", "options", "error"),
    [
        ([Image(data=b"i"), "?"], {"images": [b"x"]}, TypeError),
        ([Message("user", "a")], {"images": [b"x"]}, TypeError),
        ([Message("user", "a"), "b"], {}, TypeError),
        (RawText("a"), {"system": "b"}, TypeError),
        (TokenIds([1]), {"images": [b"x"]}, TypeError),
        ("a", {"images": "photo.jpg"}, TypeError),
        ("a", {"images": b"bytes"}, TypeError),
        ("a", {"images": [Audio(data=b"x")]}, TypeError),
        ([3], {}, TypeError),
        ([Message("robot", "a")], {}, ValueError),  # type: ignore[arg-type]
    ],
)
def test_ambiguous_prompts_are_refused(
    prompt: Prompt, options: GenerateOptions, error: type[Exception]
) -> None:
    """What could mean two things is a mistake of the caller, told at once."""
    with pytest.raises(error):
        build_generate_request(prompt, options)


def test_a_medium_has_exactly_one_source() -> None:
    """Neither none nor two."""
    with pytest.raises(ValueError, match="exactly one"):
        Image()
    with pytest.raises(ValueError, match="file and data"):
        Image("a.png", data=b"")


def test_bytes_in_place_of_a_file_name_are_refused() -> None:
    """The error tells the right spelling."""
    wrong: Any = b"bytes"

    with pytest.raises(TypeError, match=r"Image\(data=\.\.\.\)"):
        Image(wrong)


def test_a_video_has_one_way_of_choosing_frames() -> None:
    """A rate and a number contradict each other."""
    with pytest.raises(ValueError, match="not both"):
        Video("a.mp4", fps=1, num_frames=2)


@pytest.mark.parametrize(
    ("pcm", "sent"),
    [
        (None, None),
        (
            Pcm(16_000),
            media_pb2.PcmFormat(
                encoding=media_pb2.PCM_ENCODING_S16, sample_rate_hz=16_000, channels=1
            ),
        ),
        (
            Pcm(48_000, 2, "f32"),
            media_pb2.PcmFormat(
                encoding=media_pb2.PCM_ENCODING_F32, sample_rate_hz=48_000, channels=2
            ),
        ),
    ],
)
def test_samples_without_a_header_say_what_they_are(
    pcm: Pcm | None, sent: media_pb2.PcmFormat | None
) -> None:
    """Files say it themselves, so nothing is set for them."""
    request = build_generate_request(Audio(data=b"samples", pcm=pcm), {})
    audio = request.conversation.messages[0].parts[0].audio

    assert (audio.pcm if audio.HasField("pcm") else None) == sent


def test_an_unknown_type_of_sample_is_refused() -> None:
    """At once, with those that there are."""
    wrong: Any = "s8"

    with pytest.raises(ValueError, match="s16, s24, s32, f32"):
        Pcm(16_000, encoding=wrong)


def test_a_video_may_bring_its_sound() -> None:
    """Unset unless it is given."""
    silent = build_generate_request(Video(data=b"v"), {})
    loud = build_generate_request(Video(data=b"v", use_sound=True), {})

    assert not silent.conversation.messages[0].parts[0].video.HasField("use_sound")
    assert loud.conversation.messages[0].parts[0].video.use_sound
