"""The loader's seeds: small files with every type of every stage."""

from __future__ import annotations

from piece_files import precompiled
from tokenizer_files import (
    BYTE_LEVEL,
    BYTES_ONLY,
    MARK,
    QWEN2,
    Json,
    added,
    bpe,
    document,
    odd_tokens,
    replace,
    sequence,
    split,
    template,
)


def loader_variants() -> dict[str, Json]:
    """Return small files that have every type of every stage, and odd forms of a file."""
    small = bpe(["a", "b", "\u00e9"], [("a", "b")], {"unk_token": "b"})
    base = document(small, added_tokens=[added(4, "<e>", "special")])
    sep_cls = {"sep": ["a", 0], "cls": ["b", 1]}
    metaspace = {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "never", "split": True}
    stages: dict[str, dict[str, Json]] = {
        "normalizer": {
            name.lower(): {"type": name}
            for name in (
                *("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"),
            )
        }
        | {
            "strip": {"type": "Strip", "strip_left": True, "strip_right": False},
            "replace": replace({"Regex": "a+|b"}, "b"),
            "replace_string": replace({"String": "a"}, ""),
            "prepend": {"type": "Prepend", "prepend": "a"},
            "precompiled": precompiled(),
            "bert": {
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": True,
                "lowercase": True,
            },
            "sequence": sequence("normalizers", {"type": "NFC"}, {"type": "Lowercase"}),
        },
        "pre_tokenizer": {
            name.lower(): {"type": name}
            for name in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts")
        }
        | {
            "byte_level": BYTE_LEVEL,
            "metaspace": metaspace,
            "metaspace_old": {
                "type": "Metaspace",
                "replacement": MARK,
                "str_rep": MARK,
                "add_prefix_space": True,
            },
            "delimiter": {"type": "CharDelimiterSplit", "delimiter": "a"},
            "punctuation": {"type": "Punctuation", "behavior": "MergedWithNext"},
            "digits": {"type": "Digits", "individual_digits": True},
            "split": split(QWEN2, "MergedWithPrevious"),
            "split_string": split("", invert=True) | {"pattern": {"String": "a"}},
            "fixed": {"type": "FixedLength", "length": 2},
            "sequence": sequence("pretokenizers", split("a", "Removed"), BYTES_ONLY),
        },
        "post_processor": {
            "template": template("<e>", 4),
            "bert": {"type": "BertProcessing", **sep_cls},
            "roberta": {
                "type": "RobertaProcessing",
                **sep_cls,
                "trim_offsets": True,
                "add_prefix_space": True,
            },
            "byte_level": BYTE_LEVEL,
            "sequence": sequence("processors", BYTE_LEVEL, template("<e>", 4)),
        },
        "decoder": {
            "byte_level": BYTE_LEVEL,
            "replace": replace({"Regex": "a+"}, "b"),
            "byte_fallback": {"type": "ByteFallback"},
            "fuse": {"type": "Fuse"},
            "strip": {"type": "Strip", "content": "a", "start": 1, "stop": 1},
            "metaspace": metaspace,
            "wordpiece": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "bpe": {"type": "BPEDecoder", "suffix": "b"},
            "ctc": {
                "type": "CTC",
                "pad_token": "a",
                "word_delimiter_token": "b",
                "cleanup": True,
            },
            "sequence": sequence("decoders", {"type": "Fuse"}, {"type": "ByteFallback"}),
        },
        "model": {
            "bpe_strings": small | {"merges": ["a b"]},
            "bpe_fallback": small | {"byte_fallback": True, "fuse_unk": True},
            "bpe_suffix": bpe(["a", "b</w>"], [("a", "b</w>")], {"end_of_word_suffix": "</w>"}),
            "bpe_prefix": {
                **bpe(["a", "##b", "ab"], [], {"continuing_subword_prefix": "##"}),
                "merges": [["a", "##b"]],
            },
            "unigram": {
                "type": "Unigram",
                "unk_id": 0,
                "vocab": [["<unk>", 0.0], ["a", -1.5], ["ab", -1.25]],
                "byte_fallback": False,
            },
            "wordpiece": {
                "type": "WordPiece",
                "unk_token": "u",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 5,
                "vocab": {"u": 0, "a": 1, "##b": 2},
            },
            "wordlevel": {"type": "WordLevel", "vocab": {"u": 0, "a": 1}, "unk_token": "u"},
        },
    }
    variants = {"base": base}
    for stage, kinds in stages.items():
        for name, value in kinds.items():
            variant = base | {stage: value}
            if stage == "model":
                variant["added_tokens"] = []
            variants[f"{stage}_{name}"] = variant
    variants["added_tokens"] = base | {"added_tokens": odd_tokens(4)}
    variants["truncated_and_padded"] = base | {
        "truncation": {
            "direction": "Right",
            "max_length": 512,
            "strategy": "LongestFirst",
            "stride": 0,
        },
        "padding": {
            "strategy": "BatchLongest",
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "a",
        },
    }
    return variants
