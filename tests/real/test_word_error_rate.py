"""The word error rate, on texts whose distance is plain to see."""

from __future__ import annotations

import pytest

from tests.real.word_error_rate import word_error_rate, words


def test_words_have_neither_case_nor_punctuation() -> None:
    assert words("And so, my fellow Americans: don't ask.") == [
        *("and", "so", "my", "fellow", "americans", "don't", "ask")
    ]


@pytest.mark.parametrize(
    ("heard", "rate"),
    [
        ("He was not an ill-disposed young man.", 0.0),
        ("he was not an ill posed young man", 1 / 8),
        ("he was an ill disposed young man", 1 / 8),
        ("he was not at all an ill disposed young man", 2 / 8),
        ("young man", 6 / 8),
        ("", 1.0),
        ("not he was an ill disposed man young", 4 / 8),
    ],
)
def test_rate_counts_changed_added_and_dropped_words(heard: str, rate: float) -> None:
    assert word_error_rate("he was not an ill disposed young man", heard) == pytest.approx(rate)
