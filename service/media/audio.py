"""Sounds, by libsndfile; resampled by soxr."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from service.domain.conversation import AudioPart
from service.errors import InvalidRequestError, MediaUndecodableError
from service.media.limits import MediaLimits, check_limit


def decode_audio(part: AudioPart, limits: MediaLimits, rate_hz: int) -> NDArray[np.float32]:
    """Return mono samples [n] at `rate_hz`, channels averaged, cut to the part's moments."""
    with soundfile.SoundFile(io.BytesIO(part.source.data)) as sound:
        _check_header(part, sound, limits)
        frames = _seek_to_cut(part, sound)
        channels = sound.read(frames, dtype="float32", always_2d=True)
        source_rate_hz = sound.samplerate
    if not len(channels):
        raise MediaUndecodableError(part.field, "the file holds no samples")
    mono = channels.mean(axis=1, dtype=np.float32)
    # A damaged float file may hold NaN or infinity, which would spread through the model.
    mono = np.nan_to_num(mono, copy=False, posinf=1.0, neginf=-1.0)
    resampled: NDArray[np.float32] = soxr.resample(mono, source_rate_hz, rate_hz)
    return resampled.clip(-1.0, 1.0)


def _check_header(part: AudioPart, sound: soundfile.SoundFile, limits: MediaLimits) -> None:
    field, rate_hz = part.field, sound.samplerate
    check_limit(field, "audio_channels", limits.audio_channels, sound.channels)
    check_limit(field, "audio_rate_hz", limits.audio_rate_hz, rate_hz)
    end_s = min(part.end_s or float("inf"), sound.frames / rate_hz)
    check_limit(field, "audio_seconds", limits.audio_seconds, end_s - (part.start_s or 0.0))


def _seek_to_cut(part: AudioPart, sound: soundfile.SoundFile) -> int:
    """Go to the cut's start and return how many frames it has."""
    start = round((part.start_s or 0.0) * sound.samplerate)
    if sound.frames and start >= sound.frames:
        raise InvalidRequestError(
            f"{part.field}.start_s",
            f"{part.start_s:g} is beyond the end at {sound.frames / sound.samplerate:g} seconds",
        )
    end: int = sound.frames
    if part.end_s is not None:
        end = min(end, max(start + 1, round(part.end_s * sound.samplerate)))
    if start:
        sound.seek(start)
    return int(end - start)
