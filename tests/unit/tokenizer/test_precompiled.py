"""The Precompiled normalizer against Hugging Face, with rules that show where graphemes end."""

from __future__ import annotations

import base64
import random
from array import array
from collections.abc import Callable, Mapping

import pytest

from tests.unit.tokenizer.hard_texts import PIECES, random_texts
from tests.unit.tokenizer.running_sidecar import Sidecar
from tests.unit.tokenizer.test_normalizers import assert_same_text_and_origins, normalizing

__all__ = ["normalizing"]

BLOCK = 256
# Of each kind of character that the rules of graphemes know, and of each length.
KINDS = (
    "a©é\n\r\x00\u0300\u0308\u200d\u200c\u0903\u093e\u094d\u0915\u0937\u0600\u0d4e\U000110bd\u00ad"
    "\u1100\u1160\u1161\u11a8\ua960\ud7b0\ud7cb가각⌚❤\ufe0f👨🏽👧🇩🇪\u20e3\u034f\U000e0041\U0001e130"
    "\U00016d67\u1039\u1000\u0e33\u0e01\u3099か\ufeff\u2028"
)


def charsmap(rules: Mapping[str, str]) -> str:
    """Return rules in SentencePiece's form: a double array in which each node has its own block."""
    nodes = sorted({key.encode()[:size] for key in rules for size in range(len(key.encode()) + 1)})
    block_of = {node: index + 1 for index, node in enumerate(nodes)}
    place_of = {b"": 0}
    units = array("I", bytes(4 * BLOCK * (len(nodes) + 1)))
    texts = b"\0"
    for node in nodes:
        if node:
            parent = node[:-1]
            place_of[node] = block_of[parent] * BLOCK + (place_of[parent] % BLOCK ^ node[-1])
        place = place_of[node]
        value = rules.get(node.decode(errors="ignore")) if node else None
        is_rule = value is not None and node.decode(errors="ignore").encode() == node
        offset = (place // BLOCK) ^ block_of[node]
        units[place] = offset << 10 | 1 << 9 | (is_rule and 1 << 8) | (node[-1] if node else 0)
        if is_rule and value is not None:
            units[block_of[node] * BLOCK + place % BLOCK] = len(texts)
            texts += value.encode() + b"\0"
    data = (len(units) * 4).to_bytes(4, "little") + units.tobytes() + texts
    return base64.b64encode(data).decode()


def precompiled(rules: Mapping[str, str]) -> dict[str, object]:
    """Return a Precompiled."""
    return {"type": "Precompiled", "precompiled_charsmap": charsmap(rules)}


def texts_of_kinds() -> list[str]:
    """Return random texts of characters of all kinds."""
    random_ = random.Random(5)
    return ["".join(random_.choices(KINDS, k=random_.randint(1, 9))) for _ in range(3000)]


RULES = (
    {kind: "1" for kind in KINDS if kind != "\x00"},
    {kind: "" for kind in KINDS[1::2] if kind != "\x00"},
    {"a": "xyz", "\u0300": "", "é": "e\u0301", "\n": " ", "\r\n": "--", "👨": "", "か": "abcd"},
    {"a\u0300": "à", "ab": "!", "©\u200d": "", "⌚": "", "각": "ㄱㅏㄱ", "\u0915": "ka"},
)


@pytest.mark.parametrize("rules", RULES, ids=len)
def test_rules(
    normalizing: Callable[[dict[str, object]], Sidecar], rules: Mapping[str, str]
) -> None:
    """Rules apply to whole graphemes and to their characters, with the same alignment."""
    texts = [*texts_of_kinds(), *PIECES, *random_texts(200)]

    assert_same_text_and_origins(normalizing(precompiled(rules)), texts)
