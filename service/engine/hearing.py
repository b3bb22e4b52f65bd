"""How much of a sound a model's processor hears: some cut what is longer, and say nothing.

Whisper's hears 30 seconds and drops the rest; so does Qwen2-Audio's, but not Qwen2.5-Omni's, which
has the same feature extractor. No setting tells it in one place, so it is tried: two sounds that
differ only behind a moment give the same where the processor cuts there. The moments to try are
those that the processor and its feature extractor name.

Tested by tests/unit/engine/test_hearing.py and test_encoder_decoder.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_DEFAULT_RATE_HZ = 16_000
# The window of Whisper's encoder and of those that were made from it.
_USUAL_S = 30.0
# What is longer is not tried: half an hour takes a processor ten seconds.
_LONGEST_TRIAL_S = 1800.0
# A cut may be off by a window of the features, and padding may make up for it.
_MARGIN_S = 0.1
_DIFFERENT_S = 1.0


def sample_rate_hz(info: Any) -> int:
    """Return the rate at which a model takes its sounds; `info` is vLLM's, of its processor."""
    return int(info.get_data_parser().audio_resampler.target_sr or _DEFAULT_RATE_HZ)


def find_heard_s(
    processor: Any, rate_hz: int, is_same: Callable[[Samples, Samples], bool]
) -> float | None:
    """Return how many seconds of a sound the model hears; None: as many as it is given.

    `is_same` tells whether two sounds give the engine the same; what it raises means that the
    processor refuses sounds of that length by itself.
    """
    for seconds in sorted(set(_moments(processor, rate_hz))):
        if 0 < seconds <= _LONGEST_TRIAL_S and _cuts_at(seconds, rate_hz, is_same):
            return seconds
    return None


def _moments(processor: Any, rate_hz: int) -> Iterator[float]:
    yield _USUAL_S
    extractor = getattr(processor, "feature_extractor", None)
    named = (getattr(extractor, "chunk_length", None), getattr(processor, "max_audio_len", None))
    yield from _numbers(named)
    # Gemma 3n's has it as a default, in samples.
    call = type(extractor).__call__ if callable(extractor) else None
    parameter = inspect.signature(call).parameters.get("max_length") if call else None
    if parameter is not None:
        yield from (samples / rate_hz for samples in _numbers([parameter.default]))


def _numbers(values: Iterable[object]) -> Iterator[float]:
    for value in values:
        if isinstance(value, int | float):
            yield float(value)


def _cuts_at(seconds: float, rate_hz: int, is_same: Callable[[Samples, Samples], bool]) -> bool:
    count = round((seconds + _MARGIN_S + _DIFFERENT_S) * rate_hz)
    one = np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)
    other = one.copy()
    behind = other[round((seconds + _MARGIN_S) * rate_hz) :]
    behind[:] = behind[::-1] / 2
    try:
        return is_same(one, other)
    except Exception:  # noqa: BLE001 - whatever a processor raises for what it does not take
        return False
