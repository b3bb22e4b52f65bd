"""The texts and ids with which a vocabulary is compared: the same each time it is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from tests.unit.tokenizer.hard_texts import chosen_texts, random_texts

_FUZZ_TEXTS = 1500
_MAX_ADDED_TOKENS = 40


@dataclass(frozen=True)
class Inputs:
    """What goes through both."""

    texts: list[str]
    # Lists of ids in any order: mostly text that no encoder gives, and broken UTF-8.
    id_lists: list[list[int]]
    # Every id, or as many as asked for: each is decoded alone.
    single_ids: list[int]
    # Texts as lists of parts; before each but the first comes a true added token.
    literal_parts: list[list[str]]


def inputs_for(reference: Tokenizer, limit: int | None = None) -> Inputs:
    """Make the inputs; `limit` takes so many of the texts, spread over all kinds."""
    random_ = random.Random(11)
    added = _some([token.content for token in reference.get_added_tokens_decoder().values()])
    ids = sorted(reference.get_vocab(with_added_tokens=True).values())
    id_lists = [random_.choices(ids, k=random_.randint(1, 12)) for _ in range(600)]
    vocabulary_texts = reference.decode_batch(id_lists[:300], skip_special_tokens=False)
    texts = [
        *(*chosen_texts(), *vocabulary_texts),
        *(text for token in added for text in _texts_around(token)),
        *random_texts(_FUZZ_TEXTS, added),
    ]
    texts = list(dict.fromkeys(texts))
    fuzz = random_texts(600, added, seed=2)
    if limit is not None:
        texts = random_.sample(texts, limit)
        id_lists, ids, fuzz = id_lists[:limit], random_.sample(ids, 2000), fuzz[:limit]
    parts = [fuzz[i : i + 3] for i in range(0, len(fuzz), 3)]
    return Inputs(texts, id_lists, ids, parts)


def _some(tokens: Sequence[str]) -> list[str]:
    """Return all tokens, or of many the first ones and some of the others."""
    half = _MAX_ADDED_TOKENS // 2
    rest = random.Random(12).sample(tokens[half:], min(half, max(0, len(tokens) - half)))
    return [*tokens[:half], *rest]


def _texts_around(token: str) -> list[str]:
    return [
        *(token, f" {token} ", f"a{token}b", f"{token}{token}", f"x \n{token}\n\t y"),
        *(f"{token[:-1]} {token[1:]}{token}", f"e\u0301{token.upper()}\u0301{token.title()}1"),
    ]
