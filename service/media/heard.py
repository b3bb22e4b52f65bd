"""Sounds that are longer than the model hears: refused, for the model would not say what it missed.

Checked on the header, before anything is decoded, and again on the samples, as headers may lie or
be silent. Tested by tests/unit/media/test_heard.py.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.domain.media import DecodedAudio, DecodedMedia, DecodedVideo, MediaDescription
from service.errors import LimitExceededError

# An encoder pads what it writes, and resampling rounds: an MP3 of 30 s may last a frame longer.
_GRACE_S = 0.06
_CURE = "the model would not hear the rest; send it in pieces, cut by start_s and end_s"


def check_header_heard(field: str, found: MediaDescription, heard_s: float | None) -> None:
    """Refuse a sound of which the header tells that it is too long; `heard_s` None: none is."""
    if found.modality is Modality.AUDIO:
        _check(field, found.used_s, heard_s)


def check_heard(media: DecodedMedia, heard_s: float | None) -> None:
    """Refuse what has too many samples; also the sound of a video."""
    if isinstance(media, DecodedAudio):
        _check(media.field, len(media.samples) / media.sample_rate_hz, heard_s)
    elif isinstance(media, DecodedVideo) and media.sound is not None:
        _check(f"{media.field}.use_sound", len(media.sound) / media.sound_rate_hz, heard_s)


def _check(field: str, seconds: float, heard_s: float | None) -> None:
    if heard_s is not None and seconds > heard_s + _GRACE_S:
        raise LimitExceededError(field, "model_audio_seconds", heard_s, round(seconds, 3), _CURE)
