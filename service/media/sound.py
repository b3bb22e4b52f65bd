"""What the readers of sounds have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Sound(Protocol):
    """An open sound; `seconds` is its length, None when only reading it will tell."""

    @property
    def rate_hz(self) -> int:
        """How many samples a second has, for each channel."""

    @property
    def channels(self) -> int:
        """How many sounds there are at once."""

    @property
    def seconds(self) -> float | None:
        """How long it is, as far as it is known."""

    def blocks(self, first: int, last: int | None) -> Iterator[NDArray[np.float32]]:
        """Yield the samples [n, channels] from `first` up to `last`, full scale 1; once."""
