"""The texts of single tokens."""

from __future__ import annotations

from service.domain.events import TokenLogprob, TokenLogprobs
from service.token_texts import TokenTexts
from tests.fakes.fake_tokenizer import FakeTokenizer


class CountingTokenizer(FakeTokenizer):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    async def decode(self, token_ids: list[int], *, skip_special_tokens: bool = True) -> str:
        self.asked += token_ids
        return await super().decode(token_ids, skip_special_tokens=skip_special_tokens)


def place(*token_ids: int) -> TokenLogprobs:
    first, *top = (TokenLogprob(token_id, -1.0, rank) for rank, token_id in enumerate(token_ids, 1))
    return TokenLogprobs(first, tuple(top))


async def test_each_token_is_asked_for_once() -> None:
    tokenizer = CountingTokenizer()
    texts = TokenTexts(tokenizer)
    for _ in range(2):
        (found,) = await texts.fill([place(ord("a"), ord("b"), ord("a"))])
        assert [token.text for token in (found.chosen, *found.top)] == ["a", "b", "a"]
        assert found.top[0].logprob == -1.0
    assert sorted(tokenizer.asked) == [ord("a"), ord("b")]


async def test_special_and_broken_tokens_have_texts_too() -> None:
    """Half a character reads as U+FFFD; a token that the tokenizer lacks reads as nothing."""
    (found,) = await TokenTexts(FakeTokenizer()).fill([place(256, 0xC3, 5000)])
    assert [token.text for token in (found.chosen, *found.top)] == ["<|begin|>", "\ufffd", ""]


async def test_a_whole_vocabulary_is_learned_in_turns() -> None:
    tokenizer = CountingTokenizer()
    await TokenTexts(tokenizer).fill([place(*range(256))])
    assert sorted(tokenizer.asked) == [*range(256)]
