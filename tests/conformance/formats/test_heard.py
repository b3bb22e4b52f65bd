"""Where a family's processor cuts sounds, the service refuses what is longer."""

from __future__ import annotations

import io

import pytest

from service.domain.limits import MediaLimits
from service.domain.media import DecodedAudio
from service.errors import LimitExceededError
from service.media.tasks import EncodedPart, MediaTasks, PrepareTask
from tests.conformance.formats.checkpoints import AUDIO
from tests.conformance.formats.conftest import Families
from tests.conformance.formats.families import CHECKPOINTS
from tests.conformance.formats.families.whisper import WHISPER
from tests.unit.media.files import AUDIO_RATE_HZ, FIELD, encode_audio, part_of, tone

FAMILIES = [one.name for one in (*CHECKPOINTS.values(), WHISPER) if AUDIO in one.modalities]
# How many seconds of a sound they hear; all others hear whatever they are given.
HEARD_S = {"qwen2-audio": 30.0, "whisper": 30.0}


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_family_hears_is_found(families: Families, name: str) -> None:
    assert families.open(name).ours._preprocessor.heard_s == HEARD_S.get(name)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_sound_of_31_seconds_is_heard_whole_or_refused(families: Families, name: str) -> None:
    """The end of what is not refused makes a difference to what the engine gets."""
    preprocessor = families.open(name).ours._preprocessor
    samples = tone(440, 31.0, AUDIO_RATE_HZ)
    if name in HEARD_S:
        with pytest.raises(LimitExceededError) as refusal:
            _prepare(preprocessor, encode_audio(samples, AUDIO_RATE_HZ, "WAV"))
        assert refusal.value.message == (
            f"{FIELD}: model_audio_seconds is 30.0, got 31.0; the model would not hear the rest; "
            "send it in pieces, cut by start_s and end_s"
        )
        samples = samples[: 30 * AUDIO_RATE_HZ]
    other = samples.copy()
    other[-AUDIO_RATE_HZ // 2 :] = 0
    _prepare(preprocessor, encode_audio(samples, AUDIO_RATE_HZ, "WAV"))
    items = [
        preprocessor.preprocess(DecodedAudio(FIELD, "", one, AUDIO_RATE_HZ))[0]
        for one in (samples, other)
    ]
    assert items[0].kwargs != items[1].kwargs


def _prepare(preprocessor: object, data: bytes) -> None:
    encoded = EncodedPart.of(part_of(AUDIO), len(data), (), MediaLimits())
    tasks = MediaTasks(preprocessor.preprocess, preprocessor.heard_s)
    tasks.run(PrepareTask(encoded, "digest", AUDIO_RATE_HZ, None), [io.BytesIO(data)])
