"""Each stage of tokenizer.json with each option, and regular expressions, against Hugging Face."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path

import pytest

from tests.unit.tokenizer.hard_texts import PIECES, every_code_point, random_texts
from tests.unit.tokenizer.running_sidecar import Sidecar

TEXTS = [*PIECES, *random_texts(300, ["<|end|>"]), "the-final--cut-", "-a1b22 3", "--", "", "a,b;c"]
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def steps(*before: dict[str, object]) -> dict[str, object]:
    """Return a pre-tokenizer: the steps, then bytes."""
    return {"type": "Sequence", "pretokenizers": [*before, BYTES]}


def split(
    pattern: dict[str, str], behavior: str = "Isolated", *, invert: bool = False
) -> dict[str, object]:
    """Return a Split."""
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


FLAG_PAIRS = list(product((False, True), repeat=2))
ADDED_TOKEN_FLAGS = ("normalized", "single_word", "lstrip", "rstrip")
FLAGS = [chosen for n in range(5) for chosen in combinations(ADDED_TOKEN_FLAGS, n)]
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
SPLITS = [
    split(pattern, behavior, invert=invert)
    for pattern, behavior, invert in product(
        ({"String": "-"}, {"String": "--"}, {"Regex": r"\p{N}"}, {"Regex": r"\s+|-"}),
        BEHAVIORS,
        (False, True),
    )
]
PATTERNS = [
    *(
        r"\s",
        r"\S+",
        r"\w+",
        r"\W",
        r"\d",
        r"\D+",
        r".",
        r"\n",
        r"\p{L}+",
        r"\P{L}+",
        r"\p{^L}",
        r"\p{Han}+",
    ),
    *(
        r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
        r"[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\p{N}{1,3}",
    ),
    *(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"(?i:[sdmt]|ll|ve|re)",
        r"(?i:K)",
        r"a{2,3}?",
        r"a{2}",
        r"a{,2}b",
    ),
    *(
        r"a{2,}",
        r"a++b?",
        r"\s*+\S",
        r"(?>a|ab)c?",
        r"(a|b)*c",
        r"(?:\s|\w)+?x",
        r"(a*)*",
        r"x*",
        r"(?:)",
    ),
    *(
        r"\s+(?!\S)|\s+",
        r"a(?=\w)",
        r"^.",
        r".$",
        r"\A.",
        r".\z",
        r"^$",
        r"[一-龥぀-ゟ゠-ヿ]+",
        r"[\x41-\x5A]",
        r"[a\-z]",
    ),
    *(
        r"[-a]+",
        r"[a-]+",
        r"\x{1F600}",
        r"\u00e9",
        r"[^\n]",
        r"\.|,|;",
        r"(?:ab|a|b)+",
        r"\p{Sc}|\p{P}",
        r"\t|\r",
    ),
    r"[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    (
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
        r"| ?[\p{P}\p{S}]+[\r\n]*"
    ),
]


@pytest.mark.parametrize(
    "pre_tokenizer", SPLITS, ids=lambda s: f"{s['pattern']} {s['behavior']} {s['invert']}"
)
def test_split(variant: Callable[..., Sidecar], pre_tokenizer: dict[str, object]) -> None:
    """Every behaviour of Split, inverted or not, cuts as Hugging Face does."""
    variant(pre_tokenizer=steps(pre_tokenizer)).assert_agrees(TEXTS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_regular_expressions(variant: Callable[..., Sidecar], pattern: str) -> None:
    """Our regular expressions match what Oniguruma matches."""
    sidecar = variant(pre_tokenizer=steps(split({"Regex": pattern})))

    sidecar.assert_agrees(
        [*TEXTS, "aaaaab abab", "line\nline\n\n", "\n", "K k \u212a ſ s", "(a[b]c) 'LL"]
    )


@pytest.mark.parametrize("individual", [False, True])
def test_digits(variant: Callable[..., Sidecar], individual: bool) -> None:
    """Digits cuts at every number of Unicode."""
    digits = {"type": "Digits", "individual_digits": individual}

    variant(pre_tokenizer=steps(digits)).assert_agrees([*TEXTS, *every_code_point()])


@pytest.mark.parametrize(("add_prefix_space", "use_regex"), FLAG_PAIRS)
def test_byte_level(
    variant: Callable[..., Sidecar], add_prefix_space: bool, use_regex: bool
) -> None:
    """ByteLevel with each of its options."""
    one = BYTES | {"add_prefix_space": add_prefix_space, "use_regex": use_regex}

    variant(pre_tokenizer=one).assert_agrees(TEXTS)


def test_prefix_space_behind_digits(variant: Callable[..., Sidecar]) -> None:
    """A prefix space goes in front of each piece that an earlier step cut."""
    one = BYTES | {"add_prefix_space": True, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}

    variant(pre_tokenizer={"type": "Sequence", "pretokenizers": [digits, one]}).assert_agrees(TEXTS)


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_added_token_flags(
    variant: Callable[..., Sidecar],
    gpt2_vocab: dict[str, int],
    flags: tuple[str, ...],
) -> None:
    """Added tokens with every combination of flags are found as Hugging Face finds them."""
    settings = {flag: flag in flags for flag in ADDED_TOKEN_FLAGS}
    contents = ("<t>", "<t>x", " u", "e\u0301", "t>", "  ")
    tokens = [
        {"id": len(gpt2_vocab) + i, "content": content, "special": i % 2 == 0} | settings
        for i, content in enumerate(contents)
    ]
    sidecar = variant(added_tokens=tokens, normalizer={"type": "NFC"})
    sidecar.assert_agrees(random_texts(2000, [*contents, "a<t>", "<t> ", "é", "\u3000", "_"]))


def test_single_word_knows_every_letter(
    variant: Callable[..., Sidecar], gpt2_vocab: dict[str, int]
) -> None:
    """What touches a single_word token is a letter exactly where Rust's regex says so."""
    flags = {"normalized": False, "lstrip": False, "rstrip": True, "special": False}
    token = {"id": gpt2_vocab["a"], "content": "a", "single_word": True} | flags

    variant(added_tokens=[token]).assert_agrees(list(every_code_point()))


def test_sequences_of_every_stage(variant: Callable[..., Sidecar]) -> None:
    """Sequences, also nested, do what their steps do."""
    template = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<|begin|>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "<|end|>", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            "<|begin|>": {"id": "<|begin|>", "ids": [0, 0], "tokens": ["<|begin|>", "<|begin|>"]},
            "<|end|>": {"id": "<|end|>", "ids": [1], "tokens": ["<|end|>"]},
        },
    }
    sidecar = variant(
        normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFC"}]},
        pre_tokenizer=steps({"type": "Sequence", "pretokenizers": [split({"Regex": r"\p{L}+"})]}),
        post_processor={"type": "Sequence", "processors": [BYTES, template]},
        decoder={"type": "Sequence", "decoders": [BYTES]},
    )

    sidecar.assert_agrees(TEXTS)
    sidecar.assert_agrees(TEXTS, add_special_tokens=True)


def test_merges_as_strings_and_as_pairs(
    variant: Callable[..., Sidecar], trained_path: Callable[[str], Path]
) -> None:
    """Both ways to write merges give the same ids."""
    model = json.loads(trained_path("gpt2").read_text())["model"]
    as_strings = model | {
        "merges": [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    }

    variant(model=as_strings).assert_agrees(TEXTS)


def test_ignore_merges(
    variant: Callable[..., Sidecar], trained_path: Callable[[str], Path]
) -> None:
    """With ignore_merges a whole piece that is a token is that token, merges or not."""
    model = json.loads(trained_path("gpt2").read_text())["model"]
    model["vocab"] |= {
        "Ġunreachable": 10_000,
        "你".encode().decode("latin-1"): 10_001,
        "zzz": 10_002,
    }

    for ignore_merges in (False, True):
        sidecar = variant(model=model | {"ignore_merges": ignore_merges}, added_tokens=[])
        sidecar.assert_agrees([*TEXTS, "an unreachable zzz", "zzz", "zzz zzz", "你"])


@pytest.mark.parametrize("unk_token", [None, "<unk>"])
@pytest.mark.parametrize("fuse_unk", [False, True])
def test_missing_bytes(
    variant: Callable[..., Sidecar],
    trained_path: Callable[[str], Path],
    unk_token: str | None,
    *,
    fuse_unk: bool,
) -> None:
    """A byte that the vocabulary lacks is dropped, or becomes the unknown token."""
    model = json.loads(trained_path("gpt2").read_text())["model"]
    kept = {t: i for t, i in model["vocab"].items() if len(t) > 1 or t.isascii()}
    ids = {token: i for i, token in enumerate([*kept, "<unk>"])}
    merges = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
    known = [m for m in merges if all(part in ids for part in (*m, "".join(m)))]
    changes = {"vocab": ids, "merges": known, "unk_token": unk_token, "fuse_unk": fuse_unk}

    variant(model=model | changes, added_tokens=[], post_processor=None).assert_agrees(TEXTS)
