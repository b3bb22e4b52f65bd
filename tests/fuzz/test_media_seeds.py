"""The fuzzer begins with files that are in order: from others it would learn of refusals only."""

from __future__ import annotations

import pytest

from tests.fuzz.media_seeds import DECODERS, part_for, seeds, with_sound
from tests.unit.media.files import SAMPLE_NAMES, decode_bytes, sample


@pytest.mark.parametrize("decoder", DECODERS)
def test_every_seed_is_decoded(decoder: str) -> None:
    files = seeds(decoder)
    assert len(set(files)) == len(files)
    for data in files:
        decoded = decode_bytes(part_for(decoder), data)
        assert decoded.modality is part_for(decoder).modality


def test_every_format_has_its_fuzzer() -> None:
    assert {sample(name).file_format for name in DECODERS} == {
        sample(name).file_format for name in SAMPLE_NAMES
    }


def test_the_sound_of_a_video_is_fuzzed_too() -> None:
    sounding = [name for name in DECODERS if with_sound(part_for(name)) != part_for(name)]
    assert sounding == [
        name for name in DECODERS if name.startswith(("mp4", "webm-v", "webm-a", "gif-"))
    ]
