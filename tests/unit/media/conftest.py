"""A loader, closed after the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.media.loader import ThreadedMediaLoader
from tests.unit.media.files import AUDIO_RATE_HZ


@pytest.fixture
def loader() -> Iterator[ThreadedMediaLoader]:
    """A loader of one thread, so that a second part waits for the first."""
    loader = ThreadedMediaLoader(threads=1, audio_rate_hz=AUDIO_RATE_HZ)
    yield loader
    loader.close()
