"""From a request's parts to what the engine takes: what is checked when, and what is done once."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.domain.conversation import ImagePart, InlineData, MediaPart, MediaSource, Modality
from service.domain.limits import MediaLimits
from service.domain.media import DecodedMedia, MediaDescription, PreparedMedia
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    MediaBudgetExceededError,
    MediaUndecodableError,
    MediaWorkerLostError,
    TriptychError,
)
from service.media.budget import ByteBudget
from service.media.prepared_cache import PreparedCache
from service.media.preparer import WorkerMediaPreparer
from service.media.sources.resolver import SourceResolver
from service.media.tasks import DescribeTask, MediaTasks, PrepareTask
from service.ports import WorkerEnd, WorkerEndedError
from tests.fakes.in_process_workers import InProcessWorkers
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    encode_audio,
    encode_image,
    encode_video,
    gradient,
    grey_frames,
    part_of,
    tone,
)
from tests.unit.media.open_media import open_descriptors, until

SMALL = encode_image(gradient(8, 6), "PNG")
LARGE = encode_image(gradient(80, 60), "PNG")
SOUND = encode_audio(tone(440, 0.5, 24_000), 24_000, "WAV")
CLIP = encode_video(grey_frames(12))


def part_with(modality: Modality, data: bytes, **options: object) -> Any:
    """Return a part of a kind that carries its bytes."""
    return dataclasses.replace(part_of(modality, **options), source=MediaSource(InlineData(data)))


def image_part(data: bytes, **options: object) -> Any:
    return part_with(Modality.IMAGE, data, **options)


def audio_part(data: bytes) -> Any:
    return part_with(Modality.AUDIO, data)


def video_part(data: bytes) -> Any:
    return part_with(Modality.VIDEO, data)


def preprocess(media: DecodedMedia) -> tuple[DecodedMedia, int]:
    """Stand in for the model's processor: the item is the decoded medium itself."""
    return media, 1000


class Bench:
    """A preparer on real sources and decoders, with workers that run here."""

    def __init__(
        self,
        *,
        in_flight_bytes: int = 1 << 20,
        cache_bytes: int = 1 << 20,
        limits: MediaLimits | None = None,
    ) -> None:
        self.budget = ByteBudget(in_flight_bytes)
        self.workers = InProcessWorkers(MediaTasks(preprocess).run)
        self.resolver = SourceResolver(self.budget, fetcher=None, paths=None, store=None)
        self.preparer = WorkerMediaPreparer(
            self.resolver,
            self.workers,
            PreparedCache(cache_bytes),
            limits=limits or MediaLimits(),
            audio_rate_hz=AUDIO_RATE_HZ,
        )

    async def prepare(self, *parts: MediaPart, **limits: float) -> list[PreparedMedia]:
        return await self.preparer.prepare(parts, caller="", limits=limits)

    async def refusal(self, *parts: MediaPart, **limits: float) -> TriptychError:
        with pytest.raises(TriptychError) as refusal:
            await self.prepare(*parts, **limits)
        return refusal.value

    def kinds(self) -> list[type]:
        return [type(task) for task in self.workers.tasks]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    descriptors = open_descriptors()
    yield bench
    await bench.resolver.aclose()
    assert bench.budget.reserved_bytes == 0
    assert open_descriptors() <= descriptors


def at(field: str, part: MediaPart) -> Any:
    return dataclasses.replace(part, field=field)


async def test_workers_learn_whose_media_they_prepare(bench: Bench) -> None:
    """So callers take turns."""
    parts = (image_part(SMALL), audio_part(SOUND))
    await bench.preparer.prepare(parts, caller="anna", limits={})
    assert bench.workers.callers == ["anna"] * 4


async def test_parts_come_back_in_reading_order(bench: Bench) -> None:
    parts = (
        at("first", video_part(CLIP)),
        at("second", image_part(SMALL)),
        at("third", audio_part(SOUND)),
    )
    media = await bench.prepare(*parts)
    assert [one.field for one in media] == ["first", "second", "third"]
    assert [one.modality for one in media] == [Modality.VIDEO, Modality.IMAGE, Modality.AUDIO]
    assert media[0].item.frames.shape == (4, 48, 64, 3)
    assert media[1].item.pixels.shape == (6, 8, 3)
    assert media[2].item.samples.shape == (8000,)


async def test_what_was_prepared_is_not_decoded_again(bench: Bench) -> None:
    (first,) = await bench.prepare(image_part(SMALL))
    (again,) = await bench.prepare(at("elsewhere", image_part(SMALL)))
    assert bench.kinds() == [PrepareTask]
    assert again.item is first.item
    assert again.field == "elsewhere"
    assert (first.was_cached, again.was_cached) == (False, True)
    assert first.decode_s is not None
    assert first.preprocess_s is not None
    assert (again.decode_s, again.preprocess_s) == (None, None)
    assert again.fetch_s is not None


async def test_the_same_bytes_wanted_otherwise_are_other_media(bench: Bench) -> None:
    whole, scaled = await bench.prepare(image_part(LARGE), image_part(LARGE, max_pixels=100))
    assert whole.sha256 != scaled.sha256
    assert whole.item.pixels.shape != scaled.item.pixels.shape


async def test_equal_media_that_arrive_together_are_prepared_once(bench: Bench) -> None:
    bench.workers.go_on.clear()
    running = [asyncio.create_task(bench.prepare(image_part(SMALL))) for _ in range(5)]
    await until(lambda: bench.workers.tasks)
    bench.workers.go_on.set()
    media = [one for (one,) in await asyncio.gather(*running)]
    assert bench.kinds() == [PrepareTask]
    assert sorted(one.was_cached for one in media) == [False, True, True, True, True]


async def test_a_failure_or_a_cancellation_is_nobody_elses(bench: Bench) -> None:
    """The next one that wants the same medium prepares it itself."""
    bench.workers.go_on.clear()
    first, second, third = (asyncio.create_task(bench.prepare(image_part(SMALL))) for _ in range(3))
    await until(lambda: bench.workers.tasks)
    first.cancel()
    await asyncio.wait([first])
    bench.workers.next_end = WorkerEndedError(WorkerEnd.CRASHED)
    bench.workers.go_on.set()
    results = await asyncio.gather(first, second, third, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert isinstance(results[1], MediaUndecodableError)
    assert not isinstance(results[2], BaseException)


async def test_one_medium_costs_one_task_and_several_are_described_first(bench: Bench) -> None:
    """So nothing is decoded when one of several is too large."""
    await bench.prepare(image_part(SMALL))
    assert bench.kinds() == [PrepareTask]
    await bench.prepare(audio_part(SOUND), video_part(CLIP))
    assert bench.kinds()[1:] == [DescribeTask, DescribeTask, PrepareTask, PrepareTask]


async def test_nothing_is_decoded_for_a_request_of_which_one_part_fails(bench: Bench) -> None:
    parts = at("fine", image_part(SMALL)), at("too large", image_part(LARGE))
    error = await bench.refusal(*parts, image_pixels=100)
    assert error.metadata == {
        "field": "too large",
        "limit": "image_pixels",
        "limit_value": "100",
        "actual": "4800",
    }
    broken = await bench.refusal(at("fine", image_part(SMALL)), at("broken", image_part(b"x")))
    assert broken.metadata["field"] == "broken"
    assert PrepareTask not in bench.kinds()


@pytest.mark.parametrize(
    ("limit", "just", "part"),
    [
        ("request_bytes", 2 * len(SMALL), image_part(SMALL)),
        ("request_image_pixels", 2 * 48, image_part(SMALL)),
        ("request_audio_seconds", 1.0, audio_part(SOUND)),
        ("request_video_frames", 8, video_part(CLIP)),
    ],
)
async def test_sums_over_a_request_are_bounded(
    bench: Bench, limit: str, just: float, part: MediaPart
) -> None:
    await bench.prepare(part, part, **{limit: just})
    before = bench.kinds()
    error = await bench.refusal(part, at("second", part), **{limit: just * 0.99})
    assert isinstance(error, LimitExceededError)
    assert (error.metadata["limit"], error.metadata["field"]) == (limit, "second")
    assert bench.kinds() == before


async def test_a_request_lowers_a_limit_and_never_raises_it() -> None:
    bench = Bench(limits=MediaLimits(image_pixels=100))
    await bench.prepare(image_part(SMALL))
    assert isinstance(await bench.refusal(image_part(SMALL), image_pixels=47), LimitExceededError)
    assert isinstance(await bench.refusal(image_part(LARGE), image_pixels=9999), LimitExceededError)


@pytest.mark.parametrize(
    ("limit", "value", "part"),
    [
        ("image_side", 7, image_part(SMALL)),
        ("audio_seconds", 0.4, audio_part(SOUND)),
        ("audio_channels", 0, audio_part(SOUND)),
        ("audio_rate_hz", 23_999, audio_part(SOUND)),
        ("video_frame_pixels", 64 * 48 - 1, video_part(CLIP)),
        ("video_side", 63, video_part(CLIP)),
        ("video_seconds", 1.1, video_part(CLIP)),
        ("video_frames", 3, video_part(CLIP)),
        ("video_bytes", 4 * 64 * 48 * 3 - 1, video_part(CLIP)),
    ],
)
async def test_what_was_prepared_before_is_held_to_the_limits_of_this_request(
    bench: Bench, limit: str, value: float, part: MediaPart
) -> None:
    await bench.prepare(part)
    for parts in ((part,), (part, part)):
        error = await bench.refusal(*parts, **{limit: value})
        assert isinstance(error, LimitExceededError)
        assert (error.metadata["limit"], error.metadata["limit_value"]) == (limit, str(value))
    assert bench.kinds() == [PrepareTask]


async def test_a_wrong_claim_is_told_also_for_what_was_prepared_before(bench: Bench) -> None:
    await bench.prepare(image_part(SMALL))
    source = MediaSource(InlineData(SMALL), mime_type="image/jpeg")
    claiming = ImagePart("claiming", source)
    for parts in ((claiming,), (claiming, claiming)):
        error = await bench.refusal(*parts)
        assert isinstance(error, MediaUndecodableError)
        assert "image/jpeg" in error.message


async def test_a_claim_of_any_length_is_only_wrong(bench: Bench) -> None:
    source = MediaSource(InlineData(SMALL), mime_type="image/" + "x" * 1_000_000)
    error = await bench.refusal(ImagePart("claiming", source))
    assert isinstance(error, MediaUndecodableError)
    assert len(bench.workers.tasks[0].encoded.claimed_mime_types[0]) == 256


async def test_what_came_with_the_request_is_weighed_before_anything_is_copied(
    bench: Bench,
) -> None:
    error = await bench.refusal(image_part(LARGE), part_bytes=len(LARGE) - 1)
    assert error.metadata["limit"] == "part_bytes"
    error = await bench.refusal(image_part(SMALL), image_part(LARGE), request_bytes=len(LARGE))
    assert error.metadata["limit"] == "request_bytes"
    assert not bench.workers.tasks


async def test_media_in_flight_are_bounded_and_freed() -> None:
    tight = Bench(in_flight_bytes=len(SMALL))
    tight.workers.go_on.clear()
    running = asyncio.create_task(tight.prepare(image_part(SMALL)))
    await until(lambda: tight.workers.tasks)
    error = await tight.refusal(image_part(SMALL))
    assert isinstance(error, MediaBudgetExceededError)
    assert error.metadata["actual"] == str(2 * len(SMALL))
    tight.workers.go_on.set()
    await running
    await tight.prepare(image_part(SMALL))
    assert tight.budget.reserved_bytes == 0


@pytest.mark.parametrize(
    ("end", "kind", "limit"),
    [
        (WorkerEndedError(WorkerEnd.CRASHED), MediaUndecodableError, None),
        (WorkerEndedError(WorkerEnd.LOST), MediaWorkerLostError, None),
        (WorkerEndedError(WorkerEnd.MEMORY, 4096), LimitExceededError, "worker_memory_bytes"),
        (WorkerEndedError(WorkerEnd.CPU_TIME, 60), LimitExceededError, "worker_cpu_seconds"),
        (WorkerEndedError(WorkerEnd.WALL_TIME, 120), LimitExceededError, "worker_seconds"),
    ],
)
async def test_a_workers_end_is_told_as_what_it_means(
    bench: Bench, end: WorkerEndedError, kind: type[TriptychError], limit: str | None
) -> None:
    bench.workers.next_end = end
    error = await bench.refusal(at("the part", image_part(SMALL)))
    assert type(error) is kind
    assert error.metadata["field"] == "the part"
    if limit is not None:
        assert (error.metadata["limit"], error.metadata["actual"]) == (limit, "more")
        assert error.metadata["limit_value"] == str(end.limit)


async def test_cancelling_gives_everything_back(bench: Bench) -> None:
    bench.workers.go_on.clear()
    running = asyncio.create_task(bench.prepare(image_part(SMALL), audio_part(SOUND)))
    await until(lambda: bench.workers.tasks)
    assert bench.budget.reserved_bytes == len(SMALL) + len(SOUND)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.budget.reserved_bytes == 0


async def test_describing_tells_the_header_and_prepares_nothing(bench: Bench) -> None:
    (found,) = await bench.preparer.describe([image_part(SMALL)], caller="", limits={})
    assert found == MediaDescription(Modality.IMAGE, "image/png", len(SMALL), width=8, height=6)
    assert bench.kinds() == [DescribeTask]
    with pytest.raises(InvalidRequestError):
        await bench.preparer.describe([image_part(b"x")], caller="", limits={})


@pytest.mark.parametrize("part", [image_part(SMALL), audio_part(SOUND), video_part(CLIP)])
async def test_a_blank_is_as_large_as_what_it_stands_for(bench: Bench, part: MediaPart) -> None:
    (real,) = await bench.prepare(part)
    descriptions = await bench.preparer.describe([part], caller="", limits={})
    (prepared,) = await bench.preparer.prepare_blanks([part], descriptions)
    blank = prepared.item
    for name in ("pixels", "samples", "frames"):
        if hasattr(real.item, name):
            assert getattr(blank, name).shape == getattr(real.item, name).shape
            assert not getattr(blank, name).any()


async def test_without_a_cache_everything_is_prepared_anew() -> None:
    bench = Bench(cache_bytes=0)
    await bench.prepare(image_part(SMALL))
    (again,) = await bench.prepare(image_part(SMALL))
    assert not again.was_cached
    assert bench.kinds() == [PrepareTask, PrepareTask]
