"""Sounds become mono samples at the model's rate, with the same pitch, level and length."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import InvalidRequestError, MediaUndecodableError
from service.media.audio import decode_audio
from tests.unit.media.files import FIELD, audio_medium, encode_audio, tone

RATE_HZ = 16_000
# Each kind with a subtype that soundfile writes.
ENCODINGS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_U8"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "ULAW"),
    ("WAV", "IMA_ADPCM"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("MP3", "MPEG_LAYER_III"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("AAC", None),
    ("M4A", None),
    ("MP4", None),
    ("WEBM", None),
]


def samples_of(data: bytes, rate_hz: int = RATE_HZ, **cut: float) -> NDArray[np.float32]:
    samples = decode_audio(audio_medium(data, **cut), rate_hz)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 17
    return samples


def pitch_hz(samples: NDArray[np.float32], rate_hz: int = RATE_HZ) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate_hz / len(samples)


@pytest.mark.parametrize(("kind", "subtype"), ENCODINGS)
def test_every_encoding_keeps_pitch_level_and_length(kind: str, subtype: str) -> None:
    samples = samples_of(encode_audio(tone(440, 1, 48_000), 48_000, kind, subtype))
    # The IMA code fills its last block, some thousand samples long, and AAC its last frame.
    # Without a container, nothing tells that its first frame is the encoder's delay, too.
    filled = 700 if subtype == "IMA_ADPCM" else {"AAC": 700, "M4A": 350, "MP4": 350}.get(kind, 0)
    assert 0 <= len(samples) - RATE_HZ <= filled
    assert abs(pitch_hz(samples) - 440) < 1.5
    assert abs(float(np.abs(samples[2000:-4000]).max()) - 0.5) < 0.05


@pytest.mark.parametrize("to_hz", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("from_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_resampling_keeps_pitch_and_length(from_hz: int, to_hz: int) -> None:
    samples = samples_of(encode_audio(tone(1_000, 1, from_hz), from_hz, "WAV"), to_hz)
    assert len(samples) == to_hz
    assert abs(pitch_hz(samples, to_hz) - 1_000) < 1.5


def test_resampling_leaves_out_what_the_new_rate_cannot_hold() -> None:
    """A tone above half the new rate is silenced; it does not come back as another tone."""
    data = encode_audio(tone(10_000, 1, 48_000), 48_000, "WAV")
    assert np.abs(samples_of(data)[1000:-1000]).max() < 0.001


def test_the_same_rate_leaves_the_samples_as_they_are() -> None:
    wave = tone(440, 0.5, RATE_HZ)
    assert np.abs(samples_of(encode_audio(wave, RATE_HZ, "WAV", "FLOAT")) - wave).max() < 1e-6


def test_pieces_join_without_a_seam() -> None:
    """The decoder reads in pieces; ten of them give one smooth tone."""
    samples = samples_of(encode_audio(tone(100, 14, 48_000), 48_000, "WAV", "FLOAT"))
    assert np.abs(samples - tone(100, 14, RATE_HZ))[100:-100].max() < 1e-3


@pytest.mark.parametrize(("kind", "channels"), [("WAV", 2), ("FLAC", 6), ("OGG", 2), ("MP3", 2)])
def test_channels_are_averaged(kind: str, channels: int) -> None:
    """One loud channel among silent ones keeps its share."""
    wave = np.zeros((RATE_HZ, channels), np.float32)
    wave[:, 0] = tone(440, 1, RATE_HZ)
    level = float(np.abs(samples_of(encode_audio(wave, RATE_HZ, kind))[2000:-2000]).max())
    assert abs(level - 0.5 / channels) < 0.02


@pytest.mark.parametrize(("kind", "subtype"), ENCODINGS)
def test_a_cut_is_that_part_of_the_whole(kind: str, subtype: str) -> None:
    """Low, then high: the second half holds the high tone alone."""
    wave = np.concatenate([tone(300, 1, 24_000), tone(1_200, 1, 24_000)])
    data = encode_audio(wave, 24_000, kind, subtype)
    first, second = samples_of(data, end_s=0.9), samples_of(data, start_s=1.1, end_s=1.6)
    assert (len(first), len(second)) == (14_400, 8_000)
    assert abs(pitch_hz(first) - 300) < 2.5
    assert abs(pitch_hz(second) - 1_200) < 2.5
    assert abs(len(samples_of(data, start_s=1.5)) - 8_000) <= 1_400


def test_a_cut_beyond_the_end_is_the_start_moments_fault() -> None:
    data = encode_audio(tone(440, 1, RATE_HZ), RATE_HZ, "WAV")
    with pytest.raises(InvalidRequestError) as caught:
        samples_of(data, start_s=1.0)
    assert caught.value.violations == [
        (f"{FIELD}.start_s", "1 is beyond the end at 1 seconds"),
    ]
    assert len(samples_of(data, start_s=0.5, end_s=100)) == RATE_HZ // 2


def test_a_flac_that_was_written_to_a_pipe_is_decoded_to_its_end() -> None:
    """Its header tells no length: the encoder could not go back to fill it in."""
    data = bytearray(encode_audio(tone(440, 2, RATE_HZ), RATE_HZ, "FLAC"))
    # The last 36 bits before the checksum of STREAMINFO.
    data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    assert len(samples_of(bytes(data))) == 2 * RATE_HZ
    assert len(samples_of(bytes(data), start_s=0.5, end_s=1)) == RATE_HZ // 2


def test_values_that_are_no_sound_do_not_spread() -> None:
    """NaN is silence, infinity and huge values are loud; the rest stays as it is."""
    wave = tone(440, 1, 48_000)
    wave[10:14] = [np.nan, np.inf, -np.inf, 3e38]
    samples = samples_of(encode_audio(wave, 48_000, "WAV", "FLOAT"))
    assert np.abs(samples[8000:] - tone(440, 1, RATE_HZ)[8000:]).max() < 0.01
    loud = np.tile(np.array([3e38, -3e38, 3e38, 3e38], np.float32), 12_000)
    samples_of(encode_audio(loud, 48_000, "WAV", "FLOAT"))
    samples_of(encode_audio(np.stack([loud, loud], axis=1), 48_000, "WAV", "FLOAT"))


@pytest.mark.parametrize("samples", [0, 1, 5])
def test_a_sound_of_no_length_is_refused(samples: int) -> None:
    """Five samples at 192 kHz are less than half of one at 16 kHz."""
    with pytest.raises(MediaUndecodableError, match="no samples at 16000 Hz"):
        samples_of(encode_audio(tone(440, 1, 192_000)[:samples], 192_000, "WAV"))
