"""One request, end to end: real media, real engine, real sidecar, real socket."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.end_to_end.requests import (
    MEDIA,
    Refusal,
    ask,
    audio,
    image,
    joined_text,
    kinds,
    text,
    video,
)
from triptych.v1 import generation_service_pb2

PICTURE = (MEDIA / "picture.jpg").read_bytes()
SECOND_PICTURE = (MEDIA / "second_picture.png").read_bytes()
SOUND = (MEDIA / "sound.wav").read_bytes()
CLIP = (MEDIA / "clip.mp4").read_bytes()
LONG_TEXT_TASK = "Count from one to twenty."

PROMPTS = {
    "text": (text("Hello"),),
    "image": (image(PICTURE), text("What is this?")),
    "image after text": (text("What is this?"), image(PICTURE)),
    "audio": (audio(SOUND), text("What do you hear?")),
    "video": (video(CLIP), text("Which way does it move?")),
    "two images": (image(PICTURE), image(SECOND_PICTURE), text("What is in the second picture?")),
    "mixed": (audio(SOUND), text("and"), image(PICTURE), video(CLIP), text("What is all this?")),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_stream_has_the_events_of_the_contract_in_order(generation: Any, name: str) -> None:
    """A stream is: started, deltas, one finish, completed."""
    seen = kinds(generation.Generate(ask(*PROMPTS[name])))

    assert seen[0] == "started"
    assert seen[-2:] == ["output_finished", "completed"]
    assert set(seen[1:-2]) == {"text_delta"}


@pytest.mark.parametrize("name", PROMPTS)
def test_unary_answer_is_the_concatenated_stream(generation: Any, name: str) -> None:
    """GenerateUnary gives what Generate streams."""
    request = ask(*PROMPTS[name])

    streamed = joined_text(generation.Generate(request))
    unary = generation.GenerateUnary(generation_service_pb2.GenerateUnaryRequest(request=request))

    assert unary.outputs[0].text == streamed
    assert streamed


def test_started_tells_the_size_of_each_media_part(generation: Any) -> None:
    """Every media part is listed in reading order with its field and its tokens."""
    started = next(iter(generation.Generate(ask(*PROMPTS["mixed"])))).started

    assert [part.field for part in started.parts] == [
        "conversation.messages[0].parts[0].audio",
        "conversation.messages[0].parts[2].image",
        "conversation.messages[0].parts[3].video",
    ]
    assert all(part.tokens > 0 for part in started.parts)
    assert started.prompt_tokens > sum(part.tokens for part in started.parts)


def test_usage_adds_up(generation: Any) -> None:
    """Text and media tokens together are the prompt."""
    usage = list(generation.Generate(ask(*PROMPTS["mixed"])))[-1].completed.usage

    assert usage.prompt_tokens == (
        usage.prompt_text_tokens
        + usage.prompt_image_tokens
        + usage.prompt_audio_tokens
        + usage.prompt_video_tokens
    )
    assert usage.completion_tokens > 0


def test_answer_depends_on_the_pixels(generation: Any) -> None:
    """Two different pictures get two different answers."""
    answers = {
        joined_text(generation.Generate(ask(image(data), text("What is this?"))))
        for data in (PICTURE, SECOND_PICTURE)
    }

    assert len(answers) == 2


def test_max_tokens_ends_with_length(generation: Any) -> None:
    """An answer that is cut says so."""
    events = list(generation.Generate(ask(text(LONG_TEXT_TASK), max_tokens=3)))

    assert events[-2].output_finished.reason == generation_service_pb2.FINISH_REASON_LENGTH
    assert events[-1].completed.usage.completion_tokens == 3


def test_several_outputs_are_told_apart(generation: Any) -> None:
    """`n` outputs each finish once."""
    events = list(generation.Generate(ask(text("Hello"), n=3, temperature=1.0, seed=1)))

    finished = [e.output_finished.output_index for e in events if e.HasField("output_finished")]
    assert sorted(finished) == [0, 1, 2]


def test_users_control_tokens_are_plain_text(generation: Any) -> None:
    """A typed placeholder is characters: it costs more than one token and asks for no medium."""
    plain = next(iter(generation.Generate(ask(text("x"))))).started
    typed = next(iter(generation.Generate(ask(text("x<|IMAGE|>"))))).started

    assert typed.prompt_tokens > plain.prompt_tokens + 1
    assert not typed.parts


def test_sixty_four_streams_at_once_all_answer(generation: Any) -> None:
    """64 concurrent streams give the same greedy answer as one."""
    request = ask(*PROMPTS["image"])
    alone = joined_text(generation.Generate(request))

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: joined_text(generation.Generate(request)), range(64)))

    assert answers == [alone] * 64


def test_cancel_stops_the_engine_request(server: Any, generation: Any) -> None:
    """Cancelling a running stream takes the request out of the engine."""
    endless = ask(text(LONG_TEXT_TASK), max_tokens=1900, ignore_eos=True)
    call = generation.Generate(endless)
    events = iter(call)
    next(events), next(events)
    running = server.unfinished_requests()

    call.cancel()

    assert running == 1
    gone = threading.Event()
    for _ in range(500):
        if not server.unfinished_requests():
            gone.set()
            break
        gone.wait(0.01)
    assert gone.is_set()


def test_malformed_image_names_its_field(generation: Any) -> None:
    """Bytes that are no picture are INVALID_ARGUMENT with the part's path."""
    with pytest.raises(grpc.RpcError) as failure:
        list(generation.Generate(ask(text("What is this?"), image(PICTURE[:100]))))

    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    bad_request = _detail(failure.value, error_details_pb2.BadRequest())
    assert [violation.field for violation in bad_request.field_violations] == [
        "conversation.messages[0].parts[1].image"
    ]
    assert _detail(failure.value, error_details_pb2.ErrorInfo()).reason == "MEDIA_UNDECODABLE"


def test_unknown_model_is_not_found(generation: Any) -> None:
    """A model that is not served is NOT_FOUND."""
    with pytest.raises(grpc.RpcError) as failure:
        list(generation.Generate(ask(text("Hello"), model="gpt")))

    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
    assert _detail(failure.value, error_details_pb2.ErrorInfo()).reason == "MODEL_NOT_FOUND"


def test_too_long_prompt_tells_limit_and_actual(generation: Any) -> None:
    """A prompt beyond the context says how long it may be and how long it is."""
    with pytest.raises(grpc.RpcError) as failure:
        list(generation.Generate(ask(text("red circle " * 4000))))

    info = _detail(failure.value, error_details_pb2.ErrorInfo())
    assert info.reason == "PROMPT_TOO_LONG"
    assert int(info.metadata["actual"]) > int(info.metadata["limit_value"])


def _detail(error: grpc.RpcError, detail: Any) -> Any:
    """Unpack the status detail of `detail`'s type."""
    status = rpc_status.from_call(error)
    assert status is not None
    packed = next(item for item in status.details if item.Is(detail.DESCRIPTOR))
    packed.Unpack(detail)
    return detail


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("output_options.logprobs", "logprobs", 21),
        ("output_options.prompt_logprobs", "prompt_logprobs", 21),
    ],
)
def test_what_the_engine_refuses_is_named(
    generation: Any, field: str, name: str, value: int
) -> None:
    """Its bounds are the operator's, so they are not known before it is asked."""
    request = ask(text("Hello"))
    where = getattr(request, field.partition(".")[0])
    setattr(where, name, value)
    refusal = Refusal.of(generation, request)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == [field]
