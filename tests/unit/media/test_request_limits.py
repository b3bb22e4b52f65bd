"""Limits can be reached and not passed, also where seconds are sums of floats."""

from __future__ import annotations

import dataclasses

import pytest

from service.domain.conversation import Modality
from service.domain.limits import MediaLimits
from service.domain.media import MediaDescription
from service.errors import LimitExceededError
from service.media.limits import check_limit
from service.media.request_limits import check_totals, may_one_pass_totals
from tests.unit.media.files import FIELD, part_of

DEFAULTS = MediaLimits()
PAIRS = {
    "request_image_pixels": "image_pixels",
    "request_audio_seconds": "audio_seconds",
    "request_video_frames": "video_frames",
}


@pytest.mark.parametrize(
    ("limit", "actual"), [(1.2, 1.2000000000000002), (0.3, 0.1 + 0.2), (2 / 3, 2 / 3), (5, 5)]
)
def test_a_limit_can_be_reached(limit: float, actual: float) -> None:
    check_limit("field", "name", limit, actual)


@pytest.mark.parametrize(
    ("limit", "actual"), [(1.2, 1.2001), (0.3, 0.30001), (1 << 62, (1 << 62) + 1), (5, 6)]
)
def test_a_limit_cannot_be_passed(limit: float, actual: float) -> None:
    """Integers are compared exactly, whatever their size."""
    with pytest.raises(LimitExceededError) as refusal:
        check_limit("field", "name", limit, actual)

    assert refusal.value.metadata["actual"] == str(actual)


def test_by_default_one_medium_is_within_its_request() -> None:
    """So it need not be described before it is decoded."""
    assert not may_one_pass_totals(DEFAULTS)


@pytest.mark.parametrize(("total", "single"), PAIRS.items())
def test_one_medium_may_pass_a_lowered_total(total: str, single: str) -> None:
    most = getattr(DEFAULTS, single)

    assert not may_one_pass_totals(dataclasses.replace(DEFAULTS, **{total: most}))
    assert may_one_pass_totals(dataclasses.replace(DEFAULTS, **{total: most - 1}))


def test_the_part_that_passes_a_total_is_named() -> None:
    """Three tenths of a second are three sounds of a tenth, and not four."""
    parts = [part_of(Modality.AUDIO) for _ in range(4)]
    parts[3] = dataclasses.replace(parts[3], field="the fourth")
    sound = MediaDescription(Modality.AUDIO, "audio/wav", 100, used_s=0.1)
    limits = dataclasses.replace(DEFAULTS, request_audio_seconds=0.3)
    assert parts[0].field == FIELD

    check_totals(parts[:3], [sound] * 3, limits)
    with pytest.raises(LimitExceededError, match="the fourth: request_audio_seconds is"):
        check_totals(parts, [sound] * 4, limits)
