"""The demo's tokenizer round-trips any text and keeps its special tokens whole."""

from __future__ import annotations

import pytest

from demo import questions
from demo.tokenizer import SPECIAL_TOKENS, train_tokenizer


@pytest.mark.parametrize(
    "text", ["What is this?", "naïve café, 東京 👋", "  two  spaces\n\n", *questions.HELLO]
)
def test_any_text_round_trips(text: str) -> None:
    """Text that the corpus never held falls back to bytes."""
    tokenizer = train_tokenizer()

    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_special_tokens_are_one_token() -> None:
    """Each special token is one id after the merges."""
    tokenizer = train_tokenizer()

    assert all(len(tokenizer.encode(special).ids) == 1 for special in SPECIAL_TOKENS)


def test_training_is_deterministic() -> None:
    """Two trainings yield the same vocabulary and merges."""
    assert train_tokenizer().to_str() == train_tokenizer().to_str()
