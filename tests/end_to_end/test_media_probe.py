"""ProbeMedia tells what a medium is, and the tokens that Generate then counts for it."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from service.domain.conversation import InlineData, MediaSource, Modality, VideoPart
from tests.end_to_end.media_files import (
    CLIP_FRAMES_SEEN,
    CLIP_HEIGHT,
    CLIP_SECONDS,
    CLIP_WIDTH,
    SOUND_CHANNELS,
    SOUND_RATE_HZ,
    SOUND_SECONDS,
    new_clip,
    new_picture,
    new_sound,
)
from tests.end_to_end.media_parts import medium, part_of_file, upload
from tests.end_to_end.media_state import parts_counted
from tests.end_to_end.requests import Refusal, ask, started
from tests.unit.media.files import SAMPLE_NAMES, sample
from triptych.v1 import conversation_pb2, media_pb2, media_service_pb2

PICTURES = ((28, 28), (29, 27), (48, 32), (100, 10), (400, 300), (1000, 700), (3000, 2000))
SOUNDS_S = (0.05, 0.1, 0.99, 1.0, 7.3, 30.0, 31.0)
CLIPS = ((1, {}), (2, {}), (3, {}), (12, {}), (45, {}), (45, {"num_frames": 7}), (45, {"fps": 3.0}))


def probe(media: Any, part: conversation_pb2.Part) -> media_service_pb2.ProbeMediaResponse:
    """Describe the medium of a conversation's part."""
    kind = part.WhichOneof("kind")
    return media.ProbeMedia(media_service_pb2.ProbeMediaRequest(**{kind: getattr(part, kind)}))


def assert_same_tokens(generation: Any, media: Any, part: conversation_pb2.Part) -> None:
    told = probe(media, part)

    (usage,) = started(generation, ask(part, max_tokens=1)).parts
    assert told.HasField("tokens")
    assert told.tokens == usage.tokens > 0


@pytest.mark.parametrize("size", PICTURES, ids=str)
def test_the_tokens_of_a_picture(generation: Any, media: Any, size: tuple[int, int]) -> None:
    part = medium("image", {"data": new_picture(*size)})

    assert_same_tokens(generation, media, part)
    told = probe(media, part)
    assert (told.modality, told.mime_type) == (media_pb2.MODALITY_IMAGE, "image/png")
    assert (told.width, told.height) == size


@pytest.mark.parametrize("seconds", SOUNDS_S)
def test_the_tokens_of_a_sound(generation: Any, media: Any, seconds: float) -> None:
    assert_same_tokens(generation, media, medium("audio", {"data": new_sound(seconds)}))


@pytest.mark.parametrize(("frames", "options"), CLIPS, ids=str)
def test_the_tokens_of_a_clip(generation: Any, media: Any, frames: int, options: Any) -> None:
    part = medium("video", {"data": new_clip(frames)}, **options)

    assert_same_tokens(generation, media, part)
    assert probe(media, part).frames == frames


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_the_tokens_of_every_format(generation: Any, media: Any, name: str) -> None:
    assert_same_tokens(generation, media, part_of_file(sample(name)))


def test_a_picture_counts_at_its_own_size_or_at_what_the_part_wants(
    generation: Any, media: Any
) -> None:
    """`max_pixels` is a part of the question."""
    data = new_picture(640, 480)
    for pixels in (None, 100_000, 3_000, 800):
        assert_same_tokens(generation, media, medium("image", {"data": data}, max_pixels=pixels))


def test_a_sound_is_described(media: Any) -> None:
    data = new_sound()

    told = probe(media, medium("audio", {"media_id": upload(media, data)}))

    assert (told.modality, told.mime_type) == (media_pb2.MODALITY_AUDIO, "audio/wav")
    assert told.size_bytes == len(data)
    assert told.duration_s == pytest.approx(SOUND_SECONDS)
    assert (told.channels, told.sample_rate_hz) == (SOUND_CHANNELS, SOUND_RATE_HZ)


def test_a_clip_is_described(media: Any) -> None:
    told = probe(media, medium("video", {"data": new_clip()}))

    assert (told.modality, told.mime_type) == (media_pb2.MODALITY_VIDEO, "video/mp4")
    assert (told.width, told.height) == (CLIP_WIDTH, CLIP_HEIGHT)
    assert told.duration_s == pytest.approx(CLIP_SECONDS)
    assert told.sampled_frames == CLIP_FRAMES_SEEN


def test_nothing_is_prepared_of_a_medium_that_is_described(server: Any, media: Any) -> None:
    before = parts_counted(server, "prepared")

    probe(media, medium("image", {"data": new_picture()}))

    assert parts_counted(server, "prepared") == before


def test_a_kind_that_the_model_does_not_take_has_no_tokens(server: Any) -> None:
    """It is described all the same, by the server's own workers."""
    prober = server.application._serving.loaded().prober
    model = prober.prompter.engine.model
    silent = {kind: most for kind, most in model.part_limits.items() if kind != Modality.VIDEO}
    engine = SimpleNamespace(model=dataclasses.replace(model, part_limits=silent))
    part = VideoPart("video", MediaSource(InlineData(new_clip())))
    prompter = dataclasses.replace(prober.prompter, engine=engine)
    probing = dataclasses.replace(prober, prompter=prompter).probe(part, "")

    description, tokens = asyncio.run_coroutine_threadsafe(probing, server.loop).result(60)

    assert tokens is None
    assert description.sampled_frames == CLIP_FRAMES_SEEN


def test_what_the_models_processor_refuses_is_refused_alike(generation: Any, media: Any) -> None:
    """Qwen's takes no picture that is 200 times as long as it is high."""
    part = medium("image", {"data": new_picture(1000, 4)})

    with pytest.raises(grpc.RpcError) as failure:
        probe(media, part)

    refusals = Refusal(failure.value), Refusal.of(generation, ask(part))
    assert [one.code for one in refusals] == [grpc.StatusCode.INVALID_ARGUMENT] * 2
    assert [one.info.reason for one in refusals] == ["INVALID_FIELD"] * 2
    assert [one.fields for one in refusals] == [
        ["image"],
        ["conversation.messages[0].parts[0].image"],
    ]
