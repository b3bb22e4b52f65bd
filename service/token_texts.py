"""The texts of single tokens, for log probabilities: each is asked for once.

Tested by tests/unit/test_token_texts.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from service.domain.events import TokenLogprobs
from service.errors import InvalidRequestError
from service.ports import Tokenizer

# Calls to the tokenizer at once: enough to share its turns, too few to hold others up.
_AT_ONCE = 128


class TokenTexts:
    """Remembers the text of every token that was asked for; at most the whole vocabulary."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._known: dict[int, str] = {}

    async def fill(self, places: Sequence[TokenLogprobs]) -> tuple[TokenLogprobs, ...]:
        """Return the same with each token's text, as it reads alone."""
        await self._learn(
            token.token_id for place in places for token in (place.chosen, *place.top)
        )
        known = self._known
        return tuple(
            TokenLogprobs(
                place.chosen._replace(text=known[place.chosen.token_id]),
                tuple(token._replace(text=known[token.token_id]) for token in place.top),
            )
            for place in places
        )

    async def _learn(self, token_ids: Iterable[int]) -> None:
        unknown = sorted({*token_ids} - self._known.keys())
        for start in range(0, len(unknown), _AT_ONCE):
            turn = unknown[start : start + _AT_ONCE]
            self._known.update(zip(turn, await asyncio.gather(*map(self._text, turn)), strict=True))

    async def _text(self, token_id: int) -> str:
        try:
            return await self._tokenizer.decode([token_id], skip_special_tokens=False)
        except InvalidRequestError:  # a row of the vocabulary that the tokenizer does not have
            return ""
