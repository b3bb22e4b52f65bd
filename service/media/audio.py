"""Sounds: read in blocks by libsndfile or FFmpeg, mixed to one channel, resampled by soxr.

A block at a time, because a small FLAC of silence may hold gigabytes. libsndfile reads WAV, FLAC,
OGG and headerless samples; FFmpeg reads MP3 and what lies in MP4 and WebM (sound_track.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

import numpy as np
import soxr
from numpy.typing import NDArray

from service.domain.conversation import AudioPart, Modality, VideoPart
from service.domain.media import MediaDescription
from service.errors import InvalidRequestError
from service.media.file_format import FileFormat
from service.media.open_medium import OpenMedium
from service.media.sound import Sound
from service.media.sound_file import open_sound_file
from service.media.sound_track import open_sound_track

# Floats may pass full scale, which is 1; what is 24 dB louder is damage, and would drown the rest.
_LOUDEST = 16
# Below, a file of a few bytes would become minutes of sound.
_LOWEST_RATE_HZ = 1_000
_BLOCK_SAMPLES = 1 << 16
_LIBSNDFILE_FORMATS = (FileFormat.WAV, FileFormat.FLAC, FileFormat.OGG, FileFormat.PCM)


def describe_audio(medium: OpenMedium[AudioPart]) -> MediaDescription:
    """Return what the header tells, or the packets where it does not; limits are checked."""
    with _open(medium) as sound:
        check_header(medium, sound)
        seconds = sound.seconds or 0.0
        return MediaDescription(
            Modality.AUDIO,
            medium.file_format.mime_type(Modality.AUDIO),
            medium.size_bytes,
            duration_s=seconds,
            used_s=_used_s(medium.part, seconds),
            channels=sound.channels,
            sample_rate_hz=sound.rate_hz,
        )


def decode_audio(medium: OpenMedium[AudioPart], rate_hz: int) -> NDArray[np.float32]:
    """Return mono samples [n] at `rate_hz`, channels averaged, cut to the part's moments."""
    with _open(medium) as sound:
        return read_mono(medium, sound, rate_hz)


def check_header(medium: OpenMedium[AudioPart] | OpenMedium[VideoPart], sound: Sound) -> None:
    """Check what is known before a sound is decoded against the limits, and against sense."""
    medium.check("audio_channels", sound.channels)
    medium.check("audio_rate_hz", sound.rate_hz)
    if sound.rate_hz < _LOWEST_RATE_HZ or sound.channels < 1:
        raise medium.undecodable(
            f"the sound has {sound.channels} channels at {sound.rate_hz} Hz; at least 1 at "
            f"{_LOWEST_RATE_HZ} Hz are read"
        )
    if sound.seconds is None:
        return
    start_s = medium.part.start_s or 0.0
    if 0 < sound.seconds <= start_s:
        field = "start_s" if isinstance(medium.part, AudioPart) else "use_sound"
        what = "" if isinstance(medium.part, AudioPart) else " of the sound"
        raise InvalidRequestError(
            f"{medium.part.field}.{field}",
            f"{start_s:g} is beyond the end{what} at {sound.seconds:g} seconds",
        )
    medium.check("audio_seconds", _used_s(medium.part, sound.seconds))


def read_mono(
    medium: OpenMedium[AudioPart] | OpenMedium[VideoPart], sound: Sound, rate_hz: int
) -> NDArray[np.float32]:
    """Check a sound's header, and return the part's cut of it as mono samples [n] at `rate_hz`."""
    check_header(medium, sound)
    samples = _joined(_resample(_mono(medium, sound), sound.rate_hz, rate_hz))
    if not len(samples):
        raise medium.undecodable(f"the sound has no samples at {rate_hz} Hz")
    return samples


def _open(medium: OpenMedium[AudioPart]) -> AbstractContextManager[Sound]:
    if medium.file_format in _LIBSNDFILE_FORMATS:
        return open_sound_file(medium)
    return open_sound_track(medium)


def _used_s(part: AudioPart | VideoPart, seconds: float) -> float:
    end_s = seconds if part.end_s is None else min(part.end_s, seconds)
    return max(0.0, end_s - (part.start_s or 0.0))


def _mono(
    medium: OpenMedium[AudioPart] | OpenMedium[VideoPart], sound: Sound
) -> Iterator[NDArray[np.float32]]:
    """Yield the cut's samples, channels averaged; counts seconds again, as headers may lie."""
    part, done = medium.part, 0
    first = round((part.start_s or 0.0) * sound.rate_hz)
    last = None if part.end_s is None else max(first + 1, round(part.end_s * sound.rate_hz))
    for block in sound.blocks(first, last):
        done += len(block)
        if sound.seconds is None or done > sound.seconds * sound.rate_hz:
            medium.check("audio_seconds", done / sound.rate_hz)
        yield _mix(np.nan_to_num(block.clip(-_LOUDEST, _LOUDEST), copy=False))


def _mix(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the channels; numpy's `mean(axis=1)` takes many times as long for a few of them."""
    mixed = block[:, 0].copy()
    for channel in range(1, block.shape[1]):
        mixed += block[:, channel]
    mixed /= block.shape[1]
    return mixed


def _joined(blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Concatenate without ever holding two copies: an hour at 16 kHz is 230 MB."""
    joined, count = np.empty(_BLOCK_SAMPLES, np.float32), 0
    for block in blocks:
        if count + len(block) > len(joined):
            # For what is large, the system moves pages and copies nothing.
            joined.resize(max(count + len(block), len(joined) * 5 // 4), refcheck=False)
        joined[count : count + len(block)] = block
        count += len(block)
    joined.resize(count, refcheck=False)
    return joined


def _resample(
    blocks: Iterable[NDArray[np.float32]], from_hz: int, to_hz: int
) -> Iterator[NDArray[np.float32]]:
    if from_hz == to_hz:
        yield from blocks
        return
    resampler = soxr.ResampleStream(from_hz, to_hz, num_channels=1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
