"""The parts of which the sample tokenizers and the loader's seeds are put together.

Patterns, small vocabularies, and a function for each shape that tokenizer.json repeats.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

BYTE_LEVEL: Json = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}
BYTES_ONLY = BYTE_LEVEL | {"use_regex": False}
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
CLIP = r"<\|start\|>|<\|end\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
WORDS = ["the", "in", "er", "on", "th", "he", "an", "re", "ab", "aa"]


def byte_alphabet() -> list[str]:
    """Return the character of each byte in ByteLevel's alphabet, in the order of the bytes."""
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(b) if b in shown else chr(0x100 + hidden.index(b)) for b in range(256)]


def added(token_id: int, content: str, *flags: str) -> Json:
    """Return an entry of added_tokens with the flags set that are named."""
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return {"id": token_id, "content": content} | {name: name in flags for name in names}


def odd_tokens(first_id: int) -> list[Json]:
    """Return added tokens with every flag, some of them a part of another."""
    return [
        added(first_id, "<s>", "special"),
        added(first_id + 1, "<|end|>", "special"),
        added(first_id + 2, "<word>", "single_word"),
        added(first_id + 3, "<left>", "lstrip"),
        added(first_id + 4, "<right>", "rstrip"),
        added(first_id + 5, "<Both>", "lstrip", "rstrip", "normalized"),
        added(first_id + 6, "<s><s>"),
        added(first_id + 7, "Caf\u00e9", "normalized"),
    ]


def merged(pieces: list[str], merges: list[tuple[str, str]]) -> dict[str, int]:
    """Return a vocabulary of the pieces and of what the merges make."""
    made = [left + right for left, right in merges]
    return {token: number for number, token in enumerate(dict.fromkeys(pieces + made))}


def bpe(pieces: list[str], merges: list[tuple[str, str]], options: Json | None = None) -> Json:
    """Return a BPE model, with its options as they are by default but for `options`."""
    model: Json = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": merged(pieces, merges),
        "merges": [list(merge) for merge in merges],
    }
    return model | (options or {})


BYTE_MERGES = [
    ("t", "h"),
    ("h", "e"),
    ("th", "e"),
    ("i", "n"),
    ("a", "a"),
    ("aa", "a"),
    ("\u0120", "the"),
    ("\u0120", "\u0120"),
    ("\u0120\u0120", "\u0120\u0120"),
    ("\u00c3", "\u00a9"),
    ("\u00e4", "\u00bd"),
    ("\u010a", "\u010a"),
    ("1", "2"),
    ("12", "3"),
]
BYTE_BPE = bpe(byte_alphabet(), BYTE_MERGES)
BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]
MARK = "\u2581"
SPIECE_MERGES = [
    ("t", "h"),
    ("th", "e"),
    (MARK, "the"),
    ("a", "b"),
    (MARK, "a"),
    (MARK, MARK),
    ("i", "n"),
    ("\u00e9", "a"),
]
SPIECE_PIECES = ["<unk>", "<s>", "</s>", *BYTE_TOKENS, MARK, *LETTERS, "\u00e9", "\u4f60", "."]
SPIECE_BPE = bpe(
    SPIECE_PIECES, SPIECE_MERGES, {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
)
SPIECE_ADDED = [
    added(0, "<unk>", "special"),
    added(1, "<s>", "special"),
    added(2, "</s>", "special"),
    *odd_tokens(len(SPIECE_BPE["vocab"]))[1:],
]
for shift, entry in enumerate(SPIECE_ADDED[3:]):
    entry["id"] = len(SPIECE_BPE["vocab"]) + shift

UNIGRAM_PIECES = [
    ("<unk>", 0.0),
    ("</s>", 0.0),
    (MARK, -2.0),
    (MARK + "the", -3.5),
    (MARK + "a", -3.75),
    *((word, -4.0 - len(word) / 8) for word in WORDS),
    *((letter, -6.0 - index / 16) for index, letter in enumerate(LETTERS)),
    ("\u00e9", -9.0),
    ("\u4f60\u597d", -9.5),
    (".", -5.0),
    ("aaaa", -4.5),
]
UNIGRAM = {
    "type": "Unigram",
    "unk_id": 0,
    "vocab": [list(p) for p in UNIGRAM_PIECES],
    "byte_fallback": False,
}
UNIGRAM_BYTES = UNIGRAM | {
    "vocab": [list(p) for p in UNIGRAM_PIECES] + [[token, -12.0] for token in BYTE_TOKENS],
    "byte_fallback": True,
}
WORDPIECE_TOKENS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *LETTERS,
    *("##" + letter for letter in LETTERS),
    *WORDS,
    *("##" + word for word in WORDS),
    *(".", ",", "'", "\u4f60", "caf\u00e9", "cafe", "1", "##1"),
]
WORDPIECE = {
    "type": "WordPiece",
    "unk_token": "[UNK]",
    "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 20,
    "vocab": {token: number for number, token in enumerate(WORDPIECE_TOKENS)},
}
WORDLEVEL = {
    "type": "WordLevel",
    "vocab": {
        token: number
        for number, token in enumerate(["<unk>", *WORDS, *LETTERS, ".", "caf\u00e9", "'"])
    },
    "unk_token": "<unk>",
}


def sequence(key: str, *steps: Json) -> Json:
    """Return the steps as a Sequence; `key` is the member that holds them."""
    return {"type": "Sequence", key: list(steps)}


def split(pattern: str, behavior: str = "Isolated", *, invert: bool = False) -> Json:
    """Return a Split by a regular expression."""
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": behavior,
        "invert": invert,
    }


def replace(old: Json, new: str) -> Json:
    """Return a Replace, a normalizer and a decoder alike."""
    return {"type": "Replace", "pattern": old, "content": new}


def template(begin: str | None, begin_id: int, end: str | None = None, end_id: int = 0) -> Json:
    """Return a post-processor that puts tokens around the text."""
    before = [] if begin is None else [(begin, begin_id)]
    after = [] if end is None else [(end, end_id)]

    def special(pairs: list[tuple[str, int]], type_id: int) -> list[Json]:
        return [{"SpecialToken": {"id": name, "type_id": type_id}} for name, _ in pairs]

    def text(name: str, type_id: int) -> Json:
        return {"Sequence": {"id": name, "type_id": type_id}}

    single = [*special(before, 0), text("A", 0), *special(after, 0)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, *special(before, 1), text("B", 1), *special(after, 1)],
        "special_tokens": {
            name: {"id": name, "ids": [number], "tokens": [name]}
            for name, number in (*before, *after)
        },
    }


def document(model: Json, **stages: object) -> Json:
    """Return a tokenizer.json."""
    empty: Json = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
    }
    return empty | stages | {"model": model}
