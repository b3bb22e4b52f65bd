"""Synthesise the sounds: one long tone, or a few beeps, with overtones and noise.

Sounds are mono float32 at 16 kHz in [-1, 1].
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from demo.model_config import SAMPLING_RATE
from demo.questions import PITCHES, Sound

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

_HERTZ = {"low": (150.0, 300.0), "middle": (500.0, 950.0), "high": (1700.0, 3600.0)}
_EDGE_SECONDS = 0.01
MOST_BEEPS = 4


def tone(rng: Random, hertz: float, seconds: float) -> NDArray[np.float32]:
    """Return one tone with soft edges and up to three weak overtones."""
    time = np.arange(int(seconds * SAMPLING_RATE)) / SAMPLING_RATE
    wave = np.sin(2 * math.pi * hertz * time + rng.uniform(0, 6.28))
    for overtone in (2, 3, 4):
        if hertz * overtone < SAMPLING_RATE / 2 and rng.random() < 0.5:
            wave += (
                rng.uniform(0.02, 0.3) / overtone * np.sin(2 * math.pi * hertz * overtone * time)
            )
    edge = np.minimum(np.minimum(time, time[::-1]) / _EDGE_SECONDS, 1.0)
    return (wave * edge).astype(np.float32)


def lay_out(rng: Random, sound: Sound, seconds: float) -> tuple[NDArray[np.float32], list[float]]:
    """Return the sound without noise, `seconds` long, and when each beep starts, in seconds.

    Silence, beeps and gaps share the time at random.
    """
    low, high = _HERTZ[sound.pitch]
    hertz = low * (high / low) ** rng.random()
    total = int(seconds * SAMPLING_RATE)
    wave = np.zeros(total, np.float32)
    if sound.count == 1 and rng.random() < 0.75:
        length = rng.uniform(0.6, 0.97) * seconds
        gap = 0.0
    else:
        slot = seconds / sound.count
        length = min(rng.uniform(0.12, 0.26), slot * 0.55)
        gap = min(rng.uniform(0.13, 0.4), (seconds - length * sound.count) / sound.count)
    used = length * sound.count + gap * (sound.count - 1)
    start = rng.uniform(0.0, max(0.0, seconds - used))
    starts = [start + beep * (length + gap) for beep in range(sound.count)]
    for begin in starts:
        first = int(begin * SAMPLING_RATE)
        samples = tone(rng, hertz, length)[: total - first]
        wave[first : first + len(samples)] = samples
    return wave, starts


def roughen(rng: Random, wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Set the loudness and add white noise, 18 to 50 dB below it."""
    loudness = rng.uniform(0.15, 0.8)
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(wave)).astype(np.float32)
    level = 10 ** (-rng.uniform(18, 50) / 20)
    return np.clip(loudness * (wave + level * noise), -1, 1).astype(np.float32)


def any_sound(rng: Random, seconds: float) -> tuple[Sound, NDArray[np.float32], list[float]]:
    """Return a long tone or some beeps of the given length.

    That is: what it is, its samples, its beeps' starts in seconds.
    """
    count = 1 if rng.random() < 0.4 else rng.randint(2, MOST_BEEPS)
    sound = Sound(rng.choice(PITCHES), count)
    wave, starts = lay_out(rng, sound, seconds)
    return sound, roughen(rng, wave), starts
