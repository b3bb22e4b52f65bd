"""Each limit, just reached and just passed, through the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import grpc
import pytest

from service.domain.limits import MediaLimits
from tests.end_to_end.conftest import PART_LIMITS
from tests.end_to_end.media_files import (
    CLIP_FRAMES_SEEN,
    CLIP_HEIGHT,
    CLIP_SECONDS,
    CLIP_WIDTH,
    HEIGHT,
    NEW,
    SOUND_CHANNELS,
    SOUND_RATE_HZ,
    SOUND_SECONDS,
    WIDTH,
    new_picture,
    new_sound,
)
from tests.end_to_end.media_parts import data_uri, medium, upload
from tests.end_to_end.media_state import held_bytes, parts_counted, tasks_of_worker
from tests.end_to_end.requests import MEDIA, Refusal, answer, ask, text
from tests.unit.media.files import encode_audio, tone
from tests.unit.media.hostile_pictures import black_png

CLIP_BYTES = CLIP_WIDTH * CLIP_HEIGHT * 3 * CLIP_FRAMES_SEEN
# What `NEW` gives of each kind is exactly so large.
PART_SIZES = {
    ("image", "image_pixels"): WIDTH * HEIGHT,
    ("image", "image_side"): WIDTH,
    ("audio", "audio_seconds"): SOUND_SECONDS,
    ("audio", "audio_channels"): SOUND_CHANNELS,
    ("audio", "audio_rate_hz"): SOUND_RATE_HZ,
    ("video", "video_frame_pixels"): CLIP_WIDTH * CLIP_HEIGHT,
    ("video", "video_side"): CLIP_WIDTH,
    ("video", "video_seconds"): CLIP_SECONDS,
    ("video", "video_frames"): CLIP_FRAMES_SEEN,
    ("video", "video_bytes"): CLIP_BYTES,
}
REQUEST_SIZES = {
    ("image", "request_image_pixels"): WIDTH * HEIGHT,
    ("audio", "request_audio_seconds"): SOUND_SECONDS,
    ("video", "request_video_frames"): CLIP_FRAMES_SEEN,
}
SOURCES = ("data", "data_uri", "url", "path", "media_id")


def below(size: float) -> float:
    """Return the next smaller limit."""
    return size - 1 if isinstance(size, int) else size * 0.99


def assert_passed(refusal: Refusal, field: str, limit: str, value: float, actual: float) -> None:
    """The refusal says which limit of which part was passed, and by what."""
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.info.reason == "LIMIT_EXCEEDED"
    assert refusal.fields == [field]
    told = dict(refusal.info.metadata)
    assert (told["field"], told["limit"]) == (field, limit)
    assert float(told["limit_value"]) == pytest.approx(value)
    assert float(told["actual"]) == pytest.approx(actual)
    assert not refusal.retry_after_s


def test_no_limit_is_forgotten_here() -> None:
    """Those of bytes have tests of their own below."""
    tested = {name for _, name in (*PART_SIZES, *REQUEST_SIZES)}
    assert tested | {"part_bytes", "request_bytes"} == {field.name for field in fields(MediaLimits)}


@pytest.mark.parametrize(("kind", "limit"), PART_SIZES)
def test_a_limit_of_one_part_can_be_reached_and_not_passed(
    server: Any, generation: Any, kind: str, limit: str
) -> None:
    """Also by a medium that was prepared before under a higher limit."""
    size = PART_SIZES[kind, limit]
    part = medium(kind, {"data": NEW[kind]()})
    too_low = ask(text("?"), part, limits={limit: below(size)})
    field = f"conversation.messages[0].parts[1].{kind}"
    before = parts_counted(server, "prepared")

    assert_passed(Refusal.of(generation, too_low), field, limit, below(size), size)
    assert parts_counted(server, "prepared") == before

    answer(generation, ask(text("?"), part, limits={limit: size}, max_tokens=1))
    assert parts_counted(server, "prepared") == before + 1

    assert_passed(Refusal.of(generation, too_low), field, limit, below(size), size)


@pytest.mark.parametrize(("kind", "limit"), REQUEST_SIZES)
def test_the_sum_over_a_request_can_be_reached_and_not_passed(
    server: Any, generation: Any, kind: str, limit: str
) -> None:
    """The part that passes it is named, and nothing has been decoded."""
    size = REQUEST_SIZES[kind, limit]
    parts = [medium(kind, {"data": NEW[kind]()}) for _ in range(2)]
    tasks, prepared = tasks_of_worker(server), parts_counted(server, "prepared")

    refusal = Refusal.of(generation, ask(*parts, limits={limit: below(2 * size)}))

    field = f"conversation.messages[0].parts[1].{kind}"
    assert_passed(refusal, field, limit, below(2 * size), 2 * size)
    # Each was described, and that was all.
    assert tasks_of_worker(server) - tasks == len(parts)
    assert parts_counted(server, "prepared") == prepared
    answer(generation, ask(*parts, limits={limit: 2 * size}, max_tokens=1))


@pytest.mark.parametrize(("kind", "limit"), REQUEST_SIZES)
def test_a_single_part_can_pass_the_limit_of_its_request(
    server: Any, generation: Any, kind: str, limit: str
) -> None:
    size = REQUEST_SIZES[kind, limit]
    part = medium(kind, {"data": NEW[kind]()})
    tasks = tasks_of_worker(server)

    refusal = Refusal.of(generation, ask(part, limits={limit: below(size)}))

    field = f"conversation.messages[0].parts[0].{kind}"
    assert_passed(refusal, field, limit, below(size), size)
    assert tasks_of_worker(server) - tasks == 1
    answer(generation, ask(part, limits={limit: size}, max_tokens=1))


@pytest.fixture
def source_of(web: Any, media: Any) -> Callable[[str, bytes], dict[str, Any]]:
    """Put bytes where a source finds them."""

    def put(source: str, data: bytes) -> dict[str, Any]:
        made = {
            "data": lambda: data,
            "data_uri": lambda: data_uri(data, ""),
            "url": lambda: web.put("limited", data),
            "media_id": lambda: upload(media, data),
        }
        return {source: made[source]()}

    return put


@pytest.mark.parametrize("source", [one for one in SOURCES if one != "path"])
def test_the_bytes_of_a_part_can_be_reached_and_not_passed(
    server: Any, generation: Any, source_of: Any, source: str
) -> None:
    """No worker hears of a medium that is too long, and nothing of it is kept."""
    data = new_picture()
    part = medium("image", source_of(source, data))
    tasks = tasks_of_worker(server)

    refusal = Refusal.of(generation, ask(part, limits={"part_bytes": len(data) - 1}))

    field = "conversation.messages[0].parts[0].image"
    assert_passed(refusal, field, "part_bytes", len(data) - 1, len(data))
    assert tasks_of_worker(server) == tasks
    assert held_bytes(server) == 0
    answer(generation, ask(part, limits={"part_bytes": len(data)}, max_tokens=1))


@pytest.mark.parametrize("source", [one for one in SOURCES if one != "path"])
def test_the_bytes_of_a_request_can_be_reached_and_not_passed(
    server: Any, generation: Any, source_of: Any, source: str
) -> None:
    data = new_picture()
    parts = [medium("image", source_of(source, data)), medium("image", {"data": data})]
    tasks = tasks_of_worker(server)

    refusal = Refusal.of(generation, ask(*parts, limits={"request_bytes": 2 * len(data) - 1}))

    field = "conversation.messages[0].parts[1].image"
    assert_passed(refusal, field, "request_bytes", 2 * len(data) - 1, 2 * len(data))
    assert tasks_of_worker(server) == tasks
    assert held_bytes(server) == 0
    answer(generation, ask(*parts, limits={"request_bytes": 2 * len(data)}, max_tokens=1))


def test_a_limit_is_not_raised_by_a_request(generation: Any) -> None:
    """A value above the server's own has no effect."""
    defaults = MediaLimits()
    side = defaults.image_side
    line = medium("image", {"data": black_png(side + 1, 1)})
    channels = defaults.audio_channels
    samples = tone(440, 0.1, 8000)[:, None].repeat(channels + 1, axis=1)
    choir = medium("audio", {"data": encode_audio(samples, 8000, "WAV", "PCM_16")})
    field = "conversation.messages[0].parts[0]"

    refusal = Refusal.of(generation, ask(line, limits={"image_side": 10 * side}))
    assert_passed(refusal, f"{field}.image", "image_side", side, side + 1)

    refusal = Refusal.of(generation, ask(choir, limits={"audio_channels": 10 * channels}))
    assert_passed(refusal, f"{field}.audio", "audio_channels", channels, channels + 1)


@pytest.mark.parametrize("kind", PART_LIMITS)
def test_the_parts_of_a_kind_can_be_reached_and_not_passed(
    server: Any, generation: Any, kind: str
) -> None:
    """`--limit-mm-per-prompt`; the first part above it is named, and nothing is even described."""
    most = PART_LIMITS[kind]
    parts = [medium(kind, {"data": NEW[kind]()}) for _ in range(most + 1)]
    tasks = tasks_of_worker(server)

    refusal = Refusal.of(generation, ask(*parts))

    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.info.reason == "LIMIT_EXCEEDED"
    assert refusal.fields == [f"conversation.messages[0].parts[{most}].{kind}"]
    assert refusal.info.metadata["limit_value"] == str(most)
    assert refusal.info.metadata["actual"] == str(most + 1)
    assert tasks_of_worker(server) == tasks
    assert len(answer(generation, ask(*parts[:most], max_tokens=1)).started.parts) == most


@pytest.mark.parametrize("source", [one for one in SOURCES if one != "media_id"])
def test_media_beyond_the_budget_in_flight_are_to_be_sent_again(
    server: Any, generation: Any, source_of: Any, source: str
) -> None:
    """Other requests hold all but ten bytes; text is answered, and media when they are done."""
    budget = server.application._media._budget
    limit = budget._limit_bytes
    path = MEDIA / "picture.jpg"
    made = {"path": str(path)} if source == "path" else source_of(source, new_picture())
    request = ask(medium("image", made), max_tokens=1)

    with budget.open("others") as others:
        others.grow(limit - 10)
        refusal = Refusal.of(generation, request)
        answer(generation, ask(text("Hello"), max_tokens=1))
        assert held_bytes(server) == limit - 10
    answer(generation, request)

    assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refusal.info.reason == "MEDIA_BUDGET_EXCEEDED"
    assert refusal.retry_after_s > 0
    told = refusal.info.metadata
    assert told["field"] == "conversation.messages[0].parts[0].image"
    assert told["limit"] == "in_flight_bytes"
    assert told["limit_value"] == str(limit)
    assert int(told["actual"]) > limit
    assert held_bytes(server) == 0


def test_stored_media_need_no_room_in_flight(server: Any, generation: Any, source_of: Any) -> None:
    """Their bytes stay on the disk."""
    budget = server.application._media._budget
    request = ask(medium("image", source_of("media_id", new_picture())), max_tokens=1)

    with budget.open("others") as others:
        others.grow(budget._limit_bytes)

        assert answer(generation, request).started.parts
    assert held_bytes(server) == 0


def test_a_sound_is_measured_where_it_is_used(generation: Any) -> None:
    """A cut of a long sound is as long as the cut."""
    data = new_sound(2.0)
    cut = {"start_s": 1.0, "end_s": 1.5}

    answer(
        generation,
        ask(medium("audio", {"data": data}, **cut), limits={"audio_seconds": 0.5}, max_tokens=1),
    )
    refusal = Refusal.of(
        generation, ask(medium("audio", {"data": data}), limits={"audio_seconds": 0.5})
    )

    field = "conversation.messages[0].parts[0].audio"
    assert_passed(refusal, field, "audio_seconds", 0.5, 2.0)
