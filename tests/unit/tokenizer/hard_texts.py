"""Texts that tokenizers get wrong: hand-picked ones, and seeded random ones made of such pieces."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

PIECES = (
    *(
        "Hello world",
        "don't",
        "DON'T I'Ll we'Ve 'S",
        "'ſ 'ﬆ K",
        "'s't're",
        "_foo_bar",
        "x=1;\n\tif(a){b}",
    ),
    *(
        " ",
        "  ",
        "\n\n",
        "\r\n",
        " \t ",
        " " * 20,
        "\n" * 5,
        "\u00a0\u2003\u3000",
        "\u180e",
        "\u0085",
    ),
    *("\u200b", "\ufeff", "\x00\x01\x7f", "123456789", "½ ² Ⅷ ٣", "你好世界", "こんにちは", "각"),
    *("é e\u0301 a\u0308\u0323", "\u1100\u1161\u11a8", "\u0345\u0334", "ạ̈", "Việt Nam ế", "ﬁ ﬆ"),
    *("👨‍👩‍👧‍👦", "🏳️‍🌈", "\U0001f600", "नमस्ते", "ภาษาไทย", "…“”", "a" * 40, "مرحبا", "\U000e0041"),
)
# Where the scripts with many combining marks and jamo lie.
_BLOCKS = ((0x41, 0x7A), (0x300, 0x36F), (0x900, 0xFFF), (0x1100, 0x11FF), (0x1E00, 0x1FFF))


def _random_piece(random_: random.Random, special_tokens: Sequence[str]) -> str:
    kind = random_.random()
    if kind < 0.5 or (kind < 0.65 and not special_tokens):
        return random_.choice(PIECES)
    if kind < 0.65:
        return random_.choice(special_tokens)
    if kind < 0.7:
        return chr(random_.choice((random_.randrange(0xD800), random_.randrange(0xE000, 0x110000))))
    length = random_.randint(1, 12)
    if kind < 0.8:
        return "".join(chr(random_.randint(0, 0x2FF)) for _ in range(length))
    if kind < 0.9:
        return "".join(chr(random_.randint(*random_.choice(_BLOCKS))) for _ in range(length))
    return "".join(random_.choice(" \n\t.,'aZ9") for _ in range(length))


def random_texts(count: int, special_tokens: Sequence[str] = (), seed: int = 1) -> list[str]:
    """Return `count` texts, always the same for the same arguments."""
    random_ = random.Random(seed)
    return [
        "".join(_random_piece(random_, special_tokens) for _ in range(random_.randint(1, 8)))
        for _ in range(count)
    ]


def every_code_point(step: int = 200) -> Iterator[str]:
    """Yield texts that have every code point, each between letters, spaces and digits."""
    scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for start in range(0, len(scalars), step):
        yield "".join(f"a{c} {c}1{c}\n" for c in scalars[start : start + step])
