"""Sounds by libsndfile: WAV, FLAC, OGG, and headerless samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from service.domain.conversation import AudioPart, PcmEncoding
from service.media.file_format import FileFormat
from service.media.open_medium import OpenMedium
from service.media.sound import Sound

_BLOCK_SAMPLES = 1 << 17
# libsndfile's SF_COUNT_MAX: the FLAC was written to a pipe, and its header tells no length.
_UNKNOWN_FRAMES = (1 << 63) - 1
_PCM_BYTES = {PcmEncoding.S16: 2, PcmEncoding.S24: 3, PcmEncoding.S32: 4, PcmEncoding.F32: 4}
_INTEGERS = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32")
# What libsndfile may find in each; it also knows codecs that nobody sends, and fewer have tested.
_SUBTYPES = {
    "WAV": (*_INTEGERS, "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"),
    "WAVEX": (*_INTEGERS, "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    "FLAC": _INTEGERS,
    "OGG": ("VORBIS", "OPUS"),
    "RAW": tuple(encoding.value for encoding in PcmEncoding),
}


@contextmanager
def open_sound_file(medium: OpenMedium[AudioPart]) -> Iterator[Sound]:
    """Open a sound; its header has been read."""
    medium.file.seek(0)
    with soundfile.SoundFile(medium.file, **_declared(medium)) as sound:
        if sound.subtype not in _SUBTYPES.get(sound.format, ()):
            raise medium.undecodable(
                f"the {medium.file_format.label} file holds {sound.format} {sound.subtype}, "
                "which is not read"
            )
        yield _SoundFile(medium, sound)


def _declared(medium: OpenMedium[AudioPart]) -> dict[str, Any]:
    """Return what libsndfile must be told: all of headerless samples, nothing of files."""
    pcm = medium.part.pcm
    if medium.file_format is not FileFormat.PCM or pcm is None:
        return {}
    medium.check("audio_channels", pcm.channels)
    medium.check("audio_rate_hz", pcm.sample_rate_hz)
    frame_bytes = _PCM_BYTES[pcm.encoding] * pcm.channels
    if medium.size_bytes % frame_bytes:
        raise medium.undecodable(
            f"{medium.size_bytes} bytes are no whole number of samples of {frame_bytes} bytes "
            f"({pcm.channels} channels of {pcm.encoding.value})"
        )
    return {
        "format": "RAW",
        "subtype": pcm.encoding.value,
        "samplerate": pcm.sample_rate_hz,
        "channels": pcm.channels,
        "endian": "LITTLE",
    }


class _SoundFile:
    def __init__(self, medium: OpenMedium[AudioPart], sound: soundfile.SoundFile) -> None:
        self._medium = medium
        self._sound = sound
        self.rate_hz: int = sound.samplerate
        self.channels: int = sound.channels
        is_known = sound.frames != _UNKNOWN_FRAMES and sound.samplerate > 0
        self.seconds: float | None = sound.frames / sound.samplerate if is_known else None

    def blocks(self, first: int, last: int | None) -> Iterator[NDArray[np.float32]]:
        sound, end = self._sound, self._sound.frames
        if last is not None:
            end = min(end, last)
        if first:
            sound.seek(first)
        # `read` would seek to where it stands, which fails at the end when the length is unknown.
        sound.seekable = lambda: False
        at, most = first, max(1, _BLOCK_SAMPLES // self.channels)
        while at < end:
            block = sound.read(min(end - at, most), dtype="float32", always_2d=True)
            if not len(block):
                if sound.format == "FLAC" and self.seconds is not None:
                    raise self._medium.undecodable("the sound breaks off; it is incomplete")
                return
            at += len(block)
            yield block
