"""Texts that tokenizers get wrong: hand-picked ones, and seeded random ones made of such pieces."""

from __future__ import annotations

import itertools
import random
import string
import unicodedata
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


# A few sentences each: prose, code, and many languages; with and without spaces between words.
SENTENCES = (
    "The quick brown fox doesn't jump; they're lazy -- it's 5 o'clock, isn't it? \"Yes,\" he said.",
    "In 1999 the U.S. paid $1,234,567.89 (about 12%) for e.g. O'Neill's well-known re-entry...",
    "See https://example.com/a/b_c?x=1&y=%20#top or write to first.last+tag@mail.example.org!",
    "# Title\n\n* one\n* two\n  1. three\n\n```python\nprint('hi')\n```\n\n| a | b |\n|---|---|\n",
    "def f(x: int, *args, **kw) -> str:\n    return f\"{x!r:>10}\" if x != 0 else ''  # none\n",
    "for (int i = 0; i < n; ++i) {\n\tsum += a[i] * b[i];\t// dot\n}\r\n\r\n",
    "SELECT u.id, COUNT(*) FROM users AS u WHERE u.name LIKE '%_x' GROUP BY 1;",
    '{"a": [1, 2.5e-3, null], "\\u00e9": {"nested": true}}\n<div class="x">&nbsp;</div>',
    "$ ls -la | grep '^d' > /dev/null 2>&1 && echo \"done\"\n\x1b[31mred\x1b[0m",
    "camelCaseWord HTTPServer2Go snake_case_word SCREAMING_CASE kebab-case x86_64 0xDEADBEEF",
    "Größe, Übermaß und Straße; der Fußgänger läuft über die Brücke.",
    "L'été, j'ai mangé des œufs à l'hôtel : « c'est où ? » — là-bas.",
    "¿Dónde está el niño? ¡Mañana será otro día! Año, corazón, pingüino.",
    "Zażółć gęślą jaźń. Příliš žluťoučký kůň úpěl ďábelské ódy. Árvíztűrő tükörfúrógép.",
    "İstanbul'da ılık bir öğleden sonra, çocuğun şapkası uçtu. IĞDIR ığdır",
    "Tiếng Việt có nhiều dấu thanh: ngã, hỏi, nặng, sắc, huyền; trường hợp đặc biệt.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Ёжик — й, ї, ґ.",
    "Η Ελλάδα είναι χώρα της Ευρώπης· ὁ ἄνθρωπος φύσει πολιτικὸν ζῷον. ΣΊΣΥΦΟΣ σίσυφος",
    "שלום עולם, מה שלומך היום? הַבַּיִת הַלָּבָן",
    "مرحبا بالعالم، كيف حالك اليوم؟ اللُّغَةُ العَرَبِيَّةُ ١٢٣٤٥ لا",
    "نمی\u200cدانم چه می\u200cخواهی؛ سال ۱۳۹۹ و کتاب‌های من.",
    "नमस्ते दुनिया, आप कैसे हैं? क्षत्रिय श्रीमान ड़ क़ १२३",
    "আমার সোনার বাংলা, আমি তোমায় ভালোবাসি। ড় য়",
    "தமிழ் மொழி மிகவும் பழமையானது. కన్నడ తెలుగు മലയാളം ಕನ್ನಡ",
    "ภาษาไทยไม่มีช่องว่างระหว่างคำ และมีวรรณยุกต์ น้ำ กำ ๑๒๓",
    "ພາສາລາວ ភាសាខ្មែរ မြန်မာဘာသာ བོད་སྐད་ ქართული ენა Հայերեն አማርኛ",
    "今天天气很好，我们去公园散步吧！他说：“你好”。２０２４年１月１日，共３.５％。",
    "私は昨日、東京タワーへ行きました。ｶﾞｷﾞｸﾞ がぎぐ か\u3099 パーティー・ゲーム",
    "대한민국의 수도는 서울특별시이다. 한글은 1443년에 만들어졌다. ㅋㅋㅋ ㅠㅠ",
    "混ぜた mixed текст 与 العربية और हिन्दी 텍스트 all in 1️⃣ line 🎉🎊 100％ ½ cup",
    "👩🏽‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷🇯🇵 ❤️ ☺ 1️⃣ 🤷🏿‍♂️ 👍🏻👍🏿 🧑‍🤝‍🧑 ⌚️⌚︎",
    "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, ∑_{i=0}^n i² ≈ ∫f dx → ∞ ≠ ±√2 · 10⁻³ Å Ω K µ",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝓢𝓬𝓻𝓲𝓹𝓽 𝟘𝟙𝟚 ｆｕｌｌｗｉｄｔｈ ⒶⒷⒸ ①②③ Ⅳ ﬃ ﬀ ǆ ŉ ſt",
    "Ẑ̴̡̛͇a̸̧̛̮l̷̨̮̂g̵̢̛̦o̶̧̪͝ a\u0301\u0323 a\u0323\u0301 \u0344 \u0958 \u2126 \u212b \uf900 \U0002f800",
)
_WORDS = ("a", "Hello", "don't", "x1", "你好", "é", "!", "😀", "3", "_", "=")
_SPACES = (" ", "\n", "\t", "\r\n", "\r", "\u00a0", "\u3000", "\u2028", "\x0b")
# Marks of several classes, jamo, what composes only with the next, and what decomposes for ever.
_MARKS = (
    "\u0301\u0300\u0323\u0327\u0328\u0338\u0345\u093c\u09be\u0b57\u3099\u1161\u11a8\u05b0\u0f71"
    "\U00011127"
)
_BASES = "aeoAEÅ=<ωαक\u09c7\u0b47か\u1100가각\u0f40ש\u1e0a\ufb1d\u2126\U00011131"
_SCRIPTS = (0x370, 0x400, 0x530, 0x590, 0x600, 0x900, 0x980, 0xB80, 0xE00, 0xF00, 0x1000, 0x10A0)
_MORE_SCRIPTS = (0x1100, 0x1200, 0x13A0, 0x1780, 0x1E00, 0x1F00, 0x3040, 0x30A0, 0x4E00, 0xAC00)


def space_texts() -> Iterator[str]:
    """Yield runs of spaces and line ends, alone, between words, and at either end."""
    for count, space in itertools.product((1, 2, 3, 4, 7, 16, 33), _SPACES):
        run = space * count
        yield from (run, f"a{run}b", f"{run}a", f"a{run}", f"a{run}1{run}.{run}")
    for first, second in itertools.product(_SPACES, repeat=2):
        yield f"a{first}{second}b{first}{first}{second}{second} c{second}{first}"


def digit_texts() -> Iterator[str]:
    """Yield numbers of every length, signed and cut, in several scripts."""
    for length in range(1, 26):
        digits = ("1234567890" * 3)[:length]
        yield from (digits, f"a{digits}b", f"-{digits}.{digits} ", f" {digits}\n{digits}")
    for digits in (
        "٠١٢٣",
        "०१२३",
        "０１２３",
        "𝟎𝟏𝟐",
        "²³¹",
        "½¾",
        "ⅣⅧ",
        "①②",
        "一二三",
        "1,234.5e-6",
    ):
        yield from (digits, f"x{digits}y 1{digits}1")


def punctuation_texts() -> Iterator[str]:
    """Yield every ASCII mark and some others: single, in a row, before and behind words."""
    for mark in (*string.punctuation, *"…–—“”«»、。！？・｡¿¡§°€£±×÷′″※†‡•"):
        yield f"{mark} {mark}{mark} a{mark} {mark}a a{mark}b {mark * 3}\n{mark}1{mark}\n\n"
        yield f" {mark}{mark}{mark}{mark}{mark}\n"
    for word, other in itertools.product(_WORDS, repeat=2):
        yield f"{word}{other} {word} {other}'{word}-{other}"


def odd_character_texts() -> Iterator[str]:
    """Yield every control, format, space, private and unassigned kind, between other things."""
    kinds = ("Cc", "Cf", "Zs", "Zl", "Zp", "Co", "Cn", "Sk", "Me", "Lm", "Nl")
    found: dict[str, int] = {}
    for code in (*range(0x3100), *range(0xFB00, 0x10000), *range(0x1F000, 0x1F020), 0xE0001):
        kind = unicodedata.category(chr(code))
        if kind in kinds and found.setdefault(kind, 0) < 40:
            found[kind] += 1
            yield f"{chr(code)}a{chr(code)}{chr(code)}b {chr(code)} 1{chr(code)}\n{chr(code)}"


def composition_texts() -> Iterator[str]:
    """Yield bases under one and two marks: what NFC and its kin change."""
    for base, mark in itertools.product(_BASES, _MARKS):
        yield f"{base}{mark} x{base}{mark}{mark}y {mark}{base}"
    random_ = random.Random(3)
    for _ in range(60):
        yield "".join(random_.choice(_BASES) + "".join(random_.choices(_MARKS, k=3)) for _ in "abc")


def long_texts() -> Iterator[str]:
    """Yield long words: of one letter, of random letters, of a script without spaces."""
    random_ = random.Random(4)
    for length, letter in itertools.product(
        (17, 64, 101, 300), ("a", "A", "é", "字", "=", "😀", "z1")
    ):
        yield letter * length
    for length in (20, 60, 99, 100, 101, 250, 700):
        yield "".join(random_.choices(string.ascii_lowercase, k=length))
        yield "".join(chr(random_.randint(0x4E00, 0x9FA5)) for _ in range(length))
    for start in (*_SCRIPTS, *_MORE_SCRIPTS):
        letters = [chr(c) for c in range(start, start + 0x70) if chr(c).isprintable()]
        for length in (3, 9):
            words = ["".join(random_.choices(letters, k=length)) for _ in range(8)]
            yield from (
                " ".join(words),
                f"{words[0]}, {words[1].title()}. ({words[2]}) 1{words[3]}",
            )


def chosen_texts() -> list[str]:
    """Return all texts of this file but the random ones: more than 1,000, each once."""
    pairs = (a + b for a, b in itertools.product(PIECES, repeat=2))
    makers = (
        *(space_texts(), digit_texts(), punctuation_texts(), odd_character_texts()),
        *(composition_texts(), long_texts(), itertools.islice(pairs, 0, None, 7)),
    )
    halves = (half for s in SENTENCES for half in (s[: len(s) // 2], s[len(s) // 2 :], f" {s}\n"))
    return list(
        dict.fromkeys(["", *PIECES, *SENTENCES, *halves, *itertools.chain.from_iterable(makers)])
    )
