"""Sounds, by libsndfile; resampled by soxr."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from service.domain.conversation import AudioPart
from service.errors import InvalidRequestError, MediaUndecodableError
from service.media.limits import MediaLimits, check_limit

# The sound is read, and resampled, in pieces: a small FLAC of silence may hold gigabytes.
_BLOCK_FRAMES = 1 << 16
# libsndfile's SF_COUNT_MAX: the FLAC was written to a pipe, and its header tells no length.
_UNKNOWN_FRAMES = (1 << 63) - 1
# A damaged float file may hold NaN and what overflows in the resampler, and would spread.
_LOUDEST = 1 << 15


def decode_audio(part: AudioPart, limits: MediaLimits, rate_hz: int) -> NDArray[np.float32]:
    """Return mono samples [n] at `rate_hz`, channels averaged, cut to the part's moments."""
    with soundfile.SoundFile(io.BytesIO(part.source.data)) as sound:
        _check_header(part, sound, limits)
        mono = _mono_blocks(part, sound, limits)
        samples = np.concatenate(list(_resample(mono, sound.samplerate, rate_hz)))
    if not len(samples):
        raise MediaUndecodableError(part.field, f"the sound has no samples at {rate_hz} Hz")
    return samples.clip(-1.0, 1.0, out=samples)


def _mono_blocks(
    part: AudioPart, sound: soundfile.SoundFile, limits: MediaLimits
) -> Iterator[NDArray[np.float32]]:
    frames, done = _seek_to_cut(part, sound), 0
    is_length_known = sound.frames != _UNKNOWN_FRAMES
    # `read` would seek to where it stands, which fails at the end when the length is unknown.
    sound.seekable = lambda: False
    while done < frames:
        block = sound.read(min(frames - done, _BLOCK_FRAMES), dtype="float32", always_2d=True)
        if not len(block):
            if sound.format == "FLAC" and is_length_known:  # an MP3's length is only estimated
                raise MediaUndecodableError(part.field, "the sound breaks off; it is incomplete")
            return
        done += len(block)
        if not is_length_known:
            seconds = done / sound.samplerate
            check_limit(part.field, "audio_seconds", limits.audio_seconds, seconds)
        finite = np.nan_to_num(block.clip(-_LOUDEST, _LOUDEST), copy=False)
        yield finite.mean(axis=1, dtype=np.float32)


def _resample(
    blocks: Iterable[NDArray[np.float32]], from_hz: int, to_hz: int
) -> Iterator[NDArray[np.float32]]:
    resampler = soxr.ResampleStream(from_hz, to_hz, num_channels=1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


def _check_header(part: AudioPart, sound: soundfile.SoundFile, limits: MediaLimits) -> None:
    field, rate_hz = part.field, sound.samplerate
    check_limit(field, "audio_channels", limits.audio_channels, sound.channels)
    check_limit(field, "audio_rate_hz", limits.audio_rate_hz, rate_hz)
    if sound.frames != _UNKNOWN_FRAMES:
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
