"""The loader: off the event loop, a few at a time, and every error about the part's own field."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from service.domain.conversation import AudioPart, ImagePart, InlineSource, MediaPart, Modality
from service.domain.media import DecodedAudio, DecodedImage, DecodedVideo
from service.media import loader as loader_module
from service.media.file_format import FileFormat
from service.media.limits import MediaLimits
from service.media.loader import ThreadedMediaLoader
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    FIELD,
    image_part,
    part_of,
    sample_file,
    video_part,
)

PNG = image_part(sample_file(FileFormat.PNG))
DECODED = {
    Modality.IMAGE: DecodedImage,
    Modality.AUDIO: DecodedAudio,
    Modality.VIDEO: DecodedVideo,
}
DEADLINE_S = 30


@pytest.fixture
def decode_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Have pictures decoded by a function that only waits, notes, or raises."""

    def install(act: Callable[[], None]) -> None:
        def decode(part: ImagePart, limits: MediaLimits) -> NDArray[np.uint8]:
            act()
            return np.zeros((1, 1, 3), np.uint8)

        monkeypatch.setattr(loader_module, "decode_image", decode)

    return install


@pytest.mark.parametrize("file_format", FileFormat)
async def test_every_format_is_decoded(
    loader: ThreadedMediaLoader, file_format: FileFormat
) -> None:
    data = sample_file(file_format)
    source = InlineSource(data, file_format.mime_types[0], hashlib.sha256(data).digest())
    decoded = await loader.load(part_of(file_format, source))
    assert type(decoded) is DECODED[file_format.modality]
    assert decoded.field == FIELD
    if isinstance(decoded, DecodedImage):
        assert decoded.pixels.shape == (32, 48, 3)
    elif isinstance(decoded, DecodedAudio):
        assert (decoded.sample_rate_hz, len(decoded.samples)) == (AUDIO_RATE_HZ, 4_000)
    else:
        assert (decoded.total_frames, decoded.frame_indices) == (12, (0, 4, 7, 11))
        assert (decoded.fps, decoded.duration_s) == pytest.approx((10, 1.2))
        assert decoded.frames.shape == (4, 48, 64, 3)


async def test_decoding_runs_on_a_thread_of_the_loader(
    loader: ThreadedMediaLoader, decode_with: Callable
) -> None:
    threads = []
    decode_with(lambda: threads.append(threading.current_thread()))
    await loader.load(PNG)
    assert threads[0] is not threading.current_thread()
    assert threads[0].name.startswith("media")


async def test_the_event_loop_goes_on_while_a_part_is_decoded(
    loader: ThreadedMediaLoader, decode_with: Callable
) -> None:
    """The decoder ends only when a coroutine, which runs after it began, lets it."""
    loop, begun, let_go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def wait() -> None:
        loop.call_soon_threadsafe(begun.set)
        assert let_go.wait(DEADLINE_S)

    decode_with(wait)
    loading = asyncio.create_task(loader.load(PNG))
    await begun.wait()
    assert not loading.done()
    let_go.set()
    assert (await loading).field == FIELD


async def test_as_many_parts_as_threads_are_decoded_at_once(decode_with: Callable) -> None:
    """Each waits for the two others: one after the other, none would end."""
    barrier = threading.Barrier(3, timeout=DEADLINE_S)
    decode_with(barrier.wait)
    loader = ThreadedMediaLoader(threads=3, audio_rate_hz=AUDIO_RATE_HZ)
    await asyncio.gather(*(loader.load(PNG) for _ in range(3)))
    loader.close()


@pytest.mark.parametrize("end", ["cancel", "close"])
async def test_a_part_that_waits_for_a_thread_never_runs_when_it_is_dropped(
    loader: ThreadedMediaLoader, decode_with: Callable, end: str
) -> None:
    loop, begun, let_go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    decoded = []

    def wait() -> None:
        decoded.append(1)
        loop.call_soon_threadsafe(begun.set)
        assert let_go.wait(DEADLINE_S)

    decode_with(wait)
    running, waiting = (asyncio.create_task(loader.load(PNG)) for _ in range(2))
    await begun.wait()
    if end == "cancel":
        waiting.cancel()
    else:
        loader.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    let_go.set()
    await running
    if end == "cancel":
        await loader.load(PNG)
    assert len(decoded) == (2 if end == "cancel" else 1)


async def test_the_digest_names_what_was_decoded(loader: ThreadedMediaLoader) -> None:
    """Equal bytes with equal options have the same digest; any difference gives another."""
    wav, mp4 = sample_file(FileFormat.WAV), sample_file(FileFormat.MP4)
    parts: list[MediaPart] = [PNG, image_part(PNG.source.data + b"x"), replace(PNG, max_pixels=9)]
    parts += [AudioPart(FIELD, InlineSource(wav), end_s=end_s) for end_s in (None, 0.1, 0.2)]
    parts += [video_part(mp4), video_part(mp4, fps=2), video_part(mp4, num_frames=2)]
    digests = [(await loader.load(part)).sha256 for part in parts]
    assert len(set(digests)) == len(parts)
    moved = [replace(part, field="elsewhere") for part in parts]
    assert [(await loader.load(part)).sha256 for part in moved] == digests
