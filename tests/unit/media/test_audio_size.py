"""Too long sounds are refused on their header, and a small file never takes much memory."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
import soundfile

from service.domain.limits import MediaLimits
from service.errors import LimitExceededError, MediaUndecodableError
from service.media import sound_track
from service.media.audio import decode_audio
from tests.unit.media.files import FIELD, audio_medium, encode_audio, tone

RATE_HZ = 16_000
KINDS = ("WAV", "FLAC", "OGG")
TRACKS = ("MP3", "AAC", "M4A", "MP4", "WEBM")


def with_claimed_frames(flac: bytes, frames: int) -> bytes:
    """Return a FLAC file whose header claims a length; 0 says that it is unknown."""
    claim = int.from_bytes(flac[18:26]) >> 36 << 36 | frames
    return flac[:18] + claim.to_bytes(8) + flac[26:]


def silence(seconds: int, rate_hz: int, channels: int) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate_hz, channels, format="FLAC") as sound:
        for _ in range(seconds):
            sound.write(np.zeros((rate_hz, channels), np.int16))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "value"), [("audio_seconds", 1.5), ("audio_channels", 1), ("audio_rate_hz", 24_000)]
)
@pytest.mark.parametrize("kind", [*KINDS, *TRACKS])
def test_each_limit_is_checked_on_the_header(
    kind: str, name: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds in stereo at 48 kHz pass three limits; reading them would fail the test."""
    data = encode_audio(np.stack([tone(440, 2, 48_000)] * 2, axis=1), 48_000, kind)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    monkeypatch.setattr(sound_track._SoundTrack, "blocks", lambda *_: pytest.fail("decoded"))
    with pytest.raises(LimitExceededError) as caught:
        decode_audio(audio_medium(data, MediaLimits(**{name: value})), RATE_HZ)
    assert caught.value.metadata["field"] == FIELD
    assert caught.value.metadata["limit"] == name
    assert caught.value.metadata["limit_value"] == str(value)


@pytest.mark.parametrize("kind", [*KINDS, "MP3", "WEBM"])
def test_a_limit_can_be_reached(kind: str) -> None:
    wave = np.stack([tone(440, 2, 48_000)] * 2, axis=1)
    limits = MediaLimits(audio_seconds=2, audio_channels=2, audio_rate_hz=48_000)
    samples = decode_audio(audio_medium(encode_audio(wave, 48_000, kind), limits), RATE_HZ)
    assert len(samples) == 2 * RATE_HZ


def test_only_the_cut_counts() -> None:
    """A minute of a long recording is a minute."""
    data, limits = (
        encode_audio(tone(440, 3, RATE_HZ), RATE_HZ, "FLAC"),
        MediaLimits(audio_seconds=1),
    )
    cut = audio_medium(data, limits, start_s=1, end_s=2)
    assert len(decode_audio(cut, RATE_HZ)) == RATE_HZ
    for too_long in ({}, {"end_s": 2}, {"start_s": 1}):
        with pytest.raises(LimitExceededError):
            decode_audio(audio_medium(data, limits, **too_long), RATE_HZ)


def test_a_small_file_of_a_long_silence_takes_little_memory() -> None:
    """20 seconds in eight channels at 192 kHz are 123 MB of samples from 32 KB."""
    data = silence(20, 192_000, 8)
    assert len(data) < 50_000
    tracemalloc.start()
    try:
        samples = decode_audio(audio_medium(data), RATE_HZ)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(samples) == 20 * RATE_HZ
    assert peak_bytes < 20_000_000


def test_a_claimed_length_is_not_believed() -> None:
    """What the header claims is checked against the limit, and then against the sound."""
    flac = encode_audio(tone(440, 1, RATE_HZ), RATE_HZ, "FLAC")
    with pytest.raises(LimitExceededError, match="got 3601"):
        decode_audio(audio_medium(with_claimed_frames(flac, 3601 * RATE_HZ)), RATE_HZ)
    with pytest.raises(MediaUndecodableError, match="breaks off"):
        decode_audio(audio_medium(with_claimed_frames(flac, 3599 * RATE_HZ)), RATE_HZ)


def test_an_unknown_length_is_limited_while_it_is_read() -> None:
    """It ends at the limit, not at the end of the file."""
    flac = with_claimed_frames(silence(60, RATE_HZ, 1), 0)
    with pytest.raises(LimitExceededError) as caught:
        decode_audio(audio_medium(flac, MediaLimits(audio_seconds=10)), RATE_HZ)
    assert 10 < float(caught.value.metadata["actual"]) < 20


@pytest.mark.parametrize("kind", ["WAV", "MP3", "OGG"])
def test_of_a_file_that_breaks_off_the_whole_pieces_are_taken(kind: str) -> None:
    """These formats also stream: a header's length is a guess, and players play what is there."""
    wave = tone(440, 8, 24_000)
    data = encode_audio(wave, 24_000, kind)
    samples = decode_audio(audio_medium(data[: len(data) * 9 // 10]), RATE_HZ)
    assert 0.4 < len(samples) / (8 * RATE_HZ) < 0.95
    assert abs(float(np.abs(samples[4000:-4000]).max()) - 0.5) < 0.05


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_a_flac_that_breaks_off_is_refused(kept: float) -> None:
    """Its header tells the length for certain."""
    data = encode_audio(tone(440, 8, 24_000), 24_000, "FLAC")
    with pytest.raises((MediaUndecodableError, soundfile.LibsndfileError)):
        decode_audio(audio_medium(data[: int(len(data) * kept)]), RATE_HZ)
