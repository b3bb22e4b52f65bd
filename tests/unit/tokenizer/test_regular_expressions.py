"""Our regular expressions cut what Oniguruma, as Hugging Face runs it, cuts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from tokenizers import Regex

from tests.unit.tokenizer.hard_texts import PIECES, every_code_point, random_texts
from tests.unit.tokenizer.running_sidecar import Sidecar, serve
from tests.unit.tokenizer.visible_pieces import assert_pieces_agree, save_pieces_tokenizer

# The patterns of well-known tokenizers.
LETTERS_LAST = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
LETTERS_FIRST = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
KNOWN = {
    "gpt2": (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
    "cl100k": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "llama3": (
        rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}"
        rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}"
    ),
    "qwen3.5": (
        rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
        rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{SPACES}"
    ),
    "o200k": (
        rf"{LETTERS_LAST}{CONTRACTIONS}?|{LETTERS_FIRST}{CONTRACTIONS}?|\p{{N}}{{1,3}}"
        rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{SPACES}"
    ),
    "tekken": (rf"{LETTERS_LAST}|{LETTERS_FIRST}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{SPACES}"),
    "kimi": (
        rf"[\p{{Han}}]+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?"
        rf"|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?|\p{{N}}{{1,3}}"
        rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}"
    ),
    "deepseek": (
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
        rf"| ?[\p{{P}}\p{{S}}]+[\r\n]*|{SPACES}"
    ),
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "clip": (
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]"
        r"|[^\s\p{L}\p{N}]+"
    ),
    "groups of three": r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))|(?<=\p{N})\p{L}|\bx\B",
}
# What Oniguruma's syntax means, one surprise each.
SYNTAX = [
    *(r"a(?i)b|c", r"a{2}?", r"a{3,1}", r"a{", r"a{x}", r"a{,}", r"x{1,2}+", r"(?:a+?)*", r"a**"),
    *(r"(?<=a|bc)d", r"(?<!a|bc)d", r"(?<=a+)b", r"(?<=(?i:ss))a", r"\bfoo\B", r"\Ga", r"a\Z"),
    *(r"(?<n>a)b", r"(?'n'a)b", r"(?m:a.)", r"(?x) a b # c", r"(?#c)a", r"(?i-m:a)", r"\R", r"\N+"),
    *(r"[[:alpha:]&&[^a-c]]+", r"[[:^digit:][:upper:]]", r"[]a]", r"[^]a]", r"[--a]", r"[a-c-]"),
    *(
        r"[[a]b]",
        r"[&&a]",
        r"[a&b]",
        r"[a-[b]c]",
        r"\h+",
        r"\H",
        r"\0\x41\x4",
        r"\xC3\xA9",
        r"\o{101}",
    ),
    *(r"(?i)ss", r"(?i:s(?:s))", r"(?i:(s)s)", r"(?i)s+", r"(?i)ß", r"(?i)[ß]+", r"(?i)[^ß]"),
    *(
        r"(?i)st",
        r"(?i)ffi",
        r"(?i)ﬃ",
        r"(?i)\x{4B}",
        r"(?i)σ",
        r"(?i)\p{Lu}",
        r"(?i)[\p{Lu}&&[a-zA-Z]]",
    ),
    *(r"\p{greek}+", r"\p{Old_Italic}", r"\p{Letter}+", r"\p{uppercase-letter}", r"\p{Alphabetic}"),
]
TEXTS = [
    *(*PIECES, *random_texts(150), "the-final--cut-", "1234567 12 1", "a1b22c333", "aaaa aab ab"),
    *("ß ẞ ss SS ſſ sS ﬆ ﬅ st ﬀ ffi ﬃ ﬁ fi", "\r\n\r\n a\n\n b  \n", "foo foox xfoo", "bcd ad d"),
    *(
        "a{ a{x} a{,}aa",
        "]a[b]",
        "a-c-b",
        "&& a&b",
        "A\x00A\x04",
        "ΣΙΣΥΦΟΣ σίσυφος",
        "aF9g",
        "ssa ßa",
    ),
    *("İ ı i̇ ΐ ΐ ŉ ʼn K k \u212a", "<|startoftext|>a", "x a\nb ab"),
]
PROPERTIES = (
    *("Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Devanagari", "Thai", "Hangul"),
    *("Hiragana", "Katakana", "Han", "Common", "Inherited", "alnum", "punct", "graph", "print"),
    *("lower", "upper", "cntrl", "blank", "Emoji", "Extended_Pictographic", "ID_Start", "Math"),
)


def split(pattern: str) -> dict[str, object]:
    """Return a Split that keeps matches apart."""
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }


@pytest.fixture
def pieces_sidecar(
    binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[dict[str, object], Sequence[str]], Sidecar]]:
    """Start a sidecar whose ids are the pieces of a pre-tokenizer."""
    with ExitStack() as stack:

        def start(pre_tokenizer: dict[str, object], texts: Sequence[str]) -> Sidecar:
            path = tmp_path_factory.mktemp("p") / "tokenizer.json"
            save_pieces_tokenizer(pre_tokenizer, texts, path)
            return stack.enter_context(serve(path, path.with_name("s")))

        yield start


@pytest.mark.parametrize("name", KNOWN)
def test_known_patterns(pieces_sidecar: Callable[..., Sidecar], name: str) -> None:
    """The patterns of well-known tokenizers cut alike."""
    texts = [*TEXTS, *random_texts(500, seed=2)]

    assert_pieces_agree(pieces_sidecar(split(KNOWN[name]), texts), texts)


@pytest.mark.parametrize("pattern", SYNTAX)
def test_syntax(pieces_sidecar: Callable[..., Sidecar], pattern: str) -> None:
    """Each piece of syntax means what it means to Oniguruma."""
    assert_pieces_agree(pieces_sidecar(split(pattern), TEXTS), TEXTS)


@pytest.mark.parametrize(
    "members", [r"\p{Lu}\p{Lt}", r"\p{Ll}", r"\p{M}\p{N}\p{S}", r"\p{Lm}\p{Lo}"]
)
def test_every_character_in_every_case(
    pieces_sidecar: Callable[..., Sidecar], members: str
) -> None:
    """A class that ignores case has the same members, and matches what they fold to."""
    folded = [chr(c).casefold() for c in range(0x110000) if len(chr(c).casefold()) > 1]
    texts = [*every_code_point(step=2000), "".join(f"{f}1{f.upper()} {f.title()}" for f in folded)]

    pieces_sidecar(split(f"(?i)[{members}&&[^a1 ]]"), texts).assert_agrees(texts)


def test_every_character_as_a_literal(pieces_sidecar: Callable[..., Sidecar]) -> None:
    """Every character with several foldings matches the same where case is ignored."""
    several = [chr(c) for c in range(0x110000) if len(chr(c).casefold()) > 1]
    texts = [f"{c} {c.casefold()}1{c.casefold().upper()}-{c.casefold().title()}" for c in several]
    texts += [c.casefold() + other for c, other in zip(several, reversed(several), strict=True)]
    pattern = "(?i)" + "|".join([*several, *(c.casefold() for c in several)])

    assert_pieces_agree(pieces_sidecar(split(pattern), texts), texts)


def test_properties(pieces_sidecar: Callable[..., Sidecar]) -> None:
    """Named properties have the same members."""
    steps = [split(rf"\p{{{name}}}+") for name in PROPERTIES]
    texts = ["".join(text) for text in every_code_point(step=2000)]
    sequence = {"type": "Sequence", "pretokenizers": steps}

    pieces_sidecar(sequence, texts).assert_agrees(texts)


def _random_pattern(random_: random.Random, depth: int = 0) -> str:
    def term() -> str:
        atoms = [
            "a",
            "b",
            "s",
            "S",
            "ß",
            "ﬁ",
            "f",
            "i",
            " ",
            "1",
            r"\s",
            r"\w",
            r"\p{Lu}",
            ".",
            "[^a]",
        ]
        atoms += ["[s1-9]", "[[:alpha:]&&[^b]]", r"[\d\s-]", r"\b", "^", "$"]
        atom = random_.choice(atoms)
        if depth < 2 and random_.random() < 0.3:
            group = random_.choice(
                ["(?:%s)", "(%s)", "(?>%s)", "(?=%s)", "(?!%s)", "(?<=%s)", "(?i:%s)"]
            )
            atom = group % _random_pattern(random_, depth + 1)
        if atom in {r"\b", "^", "$"} or atom.startswith(("(?=", "(?!", "(?<")):
            return atom
        return atom + random_.choice(
            ["", "", "", "*", "+", "?", "*?", "++", "{1,2}", "{2}", "{,2}?"]
        )

    branches = ["".join(term() for _ in range(random_.randint(1, 4))) for _ in range(2)]
    return "|".join(branches[: random_.randint(1, 2)])


def _random_known_pattern(random_: random.Random) -> str:
    """Return a pattern that Hugging Face compiles: it refuses some lookbehinds."""
    while True:
        pattern = _random_pattern(random_)
        try:
            Regex(pattern)
        except Exception:  # noqa: BLE001, S112 (it has no other type, and says no more)
            continue
        return pattern


def test_random_patterns(pieces_sidecar: Callable[..., Sidecar]) -> None:
    """Random patterns, each cutting what the one before left, agree on random texts."""
    random_ = random.Random(7)
    letters = "aabbsSßﬁfi 1é\n"
    texts = ["".join(random_.choices(letters, k=random_.randint(1, 30))) for _ in range(100)]
    for _ in range(8):
        steps = [split(_random_known_pattern(random_)) for _ in range(6)]
        sequence = {"type": "Sequence", "pretokenizers": steps}
        assert_pieces_agree(pieces_sidecar(sequence, texts), texts)
