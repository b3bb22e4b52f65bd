"""How much of a sound is heard is found by trying, at the lengths that a processor names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from service.config import prepare_engine_environment

RATE_HZ = 1000
Samples = np.ndarray


@pytest.fixture(autouse=True)
def _environment() -> None:
    prepare_engine_environment("info")


class Extractor:
    """A feature extractor; `max_length` counts samples."""

    def __init__(self, chunk_length: object = None) -> None:
        self.chunk_length = chunk_length

    def __call__(self, sound: Samples) -> Samples:
        return sound


class ExtractorOfDefault(Extractor):
    def __call__(self, sound: Samples, max_length: int = 20 * RATE_HZ) -> Samples:
        return sound[:max_length]


class Processor:
    def __init__(self, extractor: object = None, max_audio_len: object = None) -> None:
        self.feature_extractor = extractor
        self.max_audio_len = max_audio_len


def cut_at(seconds: float | None) -> Callable[[Samples, Samples], bool]:
    last = None if seconds is None else round(seconds * RATE_HZ)
    return lambda one, other: np.array_equal(one[:last], other[:last])


def heard(processor: Processor, is_same: Callable[[Samples, Samples], bool]) -> float | None:
    from service.engine.hearing import find_heard_s

    return find_heard_s(processor, RATE_HZ, is_same)


@pytest.mark.parametrize(
    ("processor", "seconds"),
    [
        (Processor(Extractor(5)), 5.0),
        (Processor(Extractor(300)), 300.0),
        (Processor(ExtractorOfDefault()), 20.0),
        (Processor(Extractor(30), max_audio_len=600), 600.0),
        (Processor(), 30.0),
    ],
)
def test_a_cut_is_found_where_the_processor_names_it(processor: Processor, seconds: float) -> None:
    assert heard(processor, cut_at(seconds)) == seconds


def test_what_is_named_but_not_done_is_no_cut() -> None:
    assert heard(Processor(ExtractorOfDefault(30), max_audio_len=600), cut_at(None)) is None


def test_what_is_longer_than_can_be_tried_is_left_out() -> None:
    """`sys.maxsize` and infinity are ways to say that nothing is cut."""
    tried: list[int] = []

    def is_same(one: Samples, _other: Samples) -> bool:
        tried.append(len(one))
        return False

    endless = Processor(Extractor(float("inf")), max_audio_len=2**63 - 1)
    assert heard(endless, is_same) is None
    assert tried == [31_100]


def test_a_processor_that_refuses_long_sounds_cuts_none() -> None:
    def refuse(_one: Samples, _other: Samples) -> bool:
        raise ValueError("too long")

    assert heard(Processor(), refuse) is None
