"""A sound that is longer than the model hears is refused, not cut."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest

from service.domain.conversation import MediaPart, Modality, PcmEncoding, PcmFormat
from service.domain.limits import MediaLimits
from service.domain.media import DecodedMedia, MediaDescription
from service.errors import LimitExceededError
from service.media.tasks import BlankTask, DescribeTask, EncodedPart, MediaTasks, PrepareTask
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    FIELD,
    encode_audio,
    encode_video,
    grey_frames,
    part_of,
    tone,
)

HEARD_S = 2.0


class Heard:
    """Tasks of a model that hears two seconds; tells what came to the model."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._tasks = MediaTasks(self._preprocess, HEARD_S)

    def prepare(self, part: MediaPart, data: bytes) -> None:
        task = PrepareTask(encoded(part, data), "digest", AUDIO_RATE_HZ, None)
        self._tasks.run(task, [io.BytesIO(data)])

    def describe(self, part: MediaPart, data: bytes) -> None:
        self._tasks.run(DescribeTask(encoded(part, data)), [io.BytesIO(data)])

    def prepare_blank(self, description: MediaDescription) -> None:
        self._tasks.run(BlankTask(FIELD, description, AUDIO_RATE_HZ), [])

    def _preprocess(self, media: DecodedMedia) -> tuple[DecodedMedia, int]:
        samples = media.sound if media.modality is Modality.VIDEO else media.samples
        self.seconds.append(len(samples) / AUDIO_RATE_HZ)
        return media, 0


def encoded(part: MediaPart, data: bytes) -> EncodedPart:
    return EncodedPart.of(part, len(data), (), MediaLimits())


def sound(seconds: float, kind: str = "WAV", rate_hz: int = 24_000) -> bytes:
    return encode_audio(tone(440, seconds, rate_hz), rate_hz, kind)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3", "OGG", "M4A", "WEBM"])
def test_a_longer_sound_is_refused_by_its_header(kind: str) -> None:
    """With what the model hears, what came, and what to do."""
    heard, part = Heard(), part_of(Modality.AUDIO)
    data = sound(2.5, kind, 48_000)
    for call in (heard.describe, heard.prepare):
        with pytest.raises(LimitExceededError) as refusal:
            call(part, data)
        error = refusal.value
        actual = float(error.metadata.pop("actual"))
        assert error.metadata == {
            "field": FIELD,
            "limit": "model_audio_seconds",
            "limit_value": "2.0",
        }
        assert actual == pytest.approx(2.5, abs=0.08)
        assert "send it in pieces, cut by start_s and end_s" in error.message
    assert heard.seconds == []


@pytest.mark.parametrize("kind", ["WAV", "MP3", "OGG", "M4A"])
def test_a_sound_of_just_that_length_is_heard(kind: str) -> None:
    """Also where the encoder pads what it writes."""
    heard = Heard()
    heard.prepare(part_of(Modality.AUDIO), sound(HEARD_S, kind, 44_100))
    assert heard.seconds == [pytest.approx(HEARD_S, abs=0.06)]


def test_the_pieces_of_a_longer_sound_are_heard() -> None:
    heard, data = Heard(), sound(3.5)
    heard.prepare(part_of(Modality.AUDIO, end_s=2.0), data)
    heard.prepare(part_of(Modality.AUDIO, start_s=2.0), data)
    assert heard.seconds == [2.0, 1.5]


def test_headerless_samples_are_counted() -> None:
    part = part_of(Modality.AUDIO, pcm=PcmFormat(PcmEncoding.S16, 8_000))
    data = bytes(2 * 8_000 * 3)
    with pytest.raises(LimitExceededError) as refusal:
        Heard().prepare(part, data)
    assert refusal.value.metadata["actual"] == "3.0"


def test_a_longer_sound_is_refused_where_a_header_told_less() -> None:
    """The samples count: what was described before may have been another's word."""
    heard, data = Heard(), sound(2.5)
    told = MediaDescription(Modality.AUDIO, "audio/wav", len(data), duration_s=1.0, used_s=1.0)
    task = PrepareTask(encoded(part_of(Modality.AUDIO), data), "digest", AUDIO_RATE_HZ, told)
    with pytest.raises(LimitExceededError, match=r"model_audio_seconds is 2.0, got 2.5"):
        heard._tasks.run(task, [io.BytesIO(data)])


def test_a_video_whose_sound_is_longer_is_refused() -> None:
    clip = encode_video(grey_frames(30), sound=tone(440, 3.0, 48_000), sound_rate_hz=48_000)
    with pytest.raises(LimitExceededError) as refusal:
        Heard().prepare(part_of(Modality.VIDEO, use_sound=True), clip)
    assert refusal.value.metadata["field"] == f"{FIELD}.use_sound"


def test_a_blank_stands_for_a_length_that_is_told_alone() -> None:
    """What usual media cost is asked for 10 seconds, of any model."""
    heard = Heard()
    told = MediaDescription(Modality.AUDIO, "audio/wav", 0, duration_s=10.0, used_s=10.0)
    heard.prepare_blank(told)
    assert heard.seconds == [10.0]


def test_a_model_that_hears_everything_is_given_everything() -> None:
    got: list[int] = []

    def preprocess(media: DecodedMedia) -> tuple[DecodedMedia, int]:
        got.append(len(media.samples))
        return media, 0

    data = encode_audio(np.zeros(90 * 1000, np.float32), 1000, "WAV")
    part = dataclasses.replace(part_of(Modality.AUDIO), field="a sound")
    task = PrepareTask(encoded(part, data), "digest", AUDIO_RATE_HZ, None)
    MediaTasks(preprocess).run(task, [io.BytesIO(data)])
    assert got == [90 * AUDIO_RATE_HZ]
