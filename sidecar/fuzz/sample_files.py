"""The sample tokenizers: small files of each kind that is in use.

A sample's name begins with a letter of its own. An input of the targets that need a tokenizer
begins with that letter, so that a seed goes on meaning what it meant when samples are added.
"""

from __future__ import annotations

from piece_files import precompiled
from tokenizer_files import (
    BYTE_BPE,
    BYTE_LEVEL,
    BYTE_MERGES,
    BYTES_ONLY,
    CLIP,
    LETTERS,
    LLAMA3,
    MARK,
    O200K,
    QWEN2,
    SPIECE_ADDED,
    SPIECE_BPE,
    UNIGRAM,
    UNIGRAM_BYTES,
    WORDLEVEL,
    WORDPIECE,
    WORDPIECE_TOKENS,
    Json,
    added,
    bpe,
    byte_alphabet,
    document,
    odd_tokens,
    replace,
    sequence,
    split,
    template,
)


def samples() -> dict[str, Json]:
    """Return the tokenizers: name to file."""
    first = len(BYTE_BPE["vocab"])
    odd = odd_tokens(first)
    few = bpe(
        ["<unk>", *LETTERS, "\u0120"], BYTE_MERGES[:7], {"unk_token": "<unk>", "fuse_unk": True}
    )
    clip_letters = [*LETTERS, *(letter + "</w>" for letter in LETTERS)]
    clip = bpe(
        ["<|start|>", "<|end|>", *byte_alphabet(), *(c + "</w>" for c in byte_alphabet())],
        [("t", "h"), ("th", "e</w>"), ("i", "n</w>")],
        {"unk_token": "<|end|>", "end_of_word_suffix": "</w>"},
    )
    subword = bpe(
        ["[UNK]", *clip_letters[:26], *("##" + letter for letter in LETTERS)],
        [],
        {"unk_token": "[UNK]", "continuing_subword_prefix": "##"},
    )
    subword["vocab"] |= {"th": len(subword["vocab"])}
    subword["merges"] = [["t", "##h"]]
    spiece_decoder = sequence(
        "decoders",
        replace({"String": MARK}, " "),
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    )
    metaspace = {
        "type": "Metaspace",
        "replacement": MARK,
        "prepend_scheme": "always",
        "split": True,
    }
    first_only = metaspace | {"prepend_scheme": "first", "split": False}
    return {
        "a_gpt2": document(
            BYTE_BPE, added_tokens=odd, pre_tokenizer=BYTE_LEVEL, decoder=BYTE_LEVEL
        ),
        "b_qwen2": document(
            BYTE_BPE,
            added_tokens=odd,
            normalizer={"type": "NFC"},
            pre_tokenizer=sequence("pretokenizers", split(QWEN2), BYTES_ONLY),
            post_processor=BYTE_LEVEL,
            decoder=BYTE_LEVEL,
        ),
        "c_llama3": document(
            BYTE_BPE | {"ignore_merges": True},
            added_tokens=odd,
            pre_tokenizer=sequence("pretokenizers", split(LLAMA3), BYTES_ONLY),
            post_processor=sequence("processors", BYTE_LEVEL, template("<s>", first)),
            decoder=BYTE_LEVEL,
        ),
        "d_few_bytes": document(
            few,
            added_tokens=[added(0, "<unk>", "special")],
            pre_tokenizer=BYTE_LEVEL | {"add_prefix_space": True},
            decoder=BYTE_LEVEL,
        ),
        "e_llama2": document(
            SPIECE_BPE,
            added_tokens=SPIECE_ADDED,
            normalizer=sequence(
                "normalizers",
                {"type": "Prepend", "prepend": MARK},
                replace({"String": " "}, MARK),
            ),
            post_processor=template("<s>", 1),
            decoder=spiece_decoder,
        ),
        "f_mistral": document(
            SPIECE_BPE | {"ignore_merges": True},
            added_tokens=SPIECE_ADDED,
            pre_tokenizer=first_only,
            post_processor=template("<s>", 1, "</s>", 2),
            decoder=spiece_decoder,
        ),
        "g_t5": document(
            UNIGRAM,
            added_tokens=[added(0, "<unk>", "special"), added(1, "</s>", "special")],
            normalizer=sequence(
                "normalizers",
                {"type": "Nmt"},
                {"type": "NFKC"},
                replace({"Regex": " {2,}"}, " "),
                {"type": "Strip", "strip_left": False, "strip_right": True},
            ),
            pre_tokenizer=sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace),
            post_processor=template(None, 0, "</s>", 1),
            decoder=metaspace,
        ),
        "h_unigram_bytes": document(
            UNIGRAM_BYTES,
            added_tokens=[added(0, "<unk>", "special"), *odd_tokens(len(UNIGRAM_BYTES["vocab"]))],
            normalizer=replace({"String": " "}, MARK),
            pre_tokenizer={
                "type": "Split",
                "pattern": {"String": " "},
                "behavior": "MergedWithPrevious",
                "invert": False,
            },
            decoder=sequence(
                "decoders",
                replace({"String": MARK}, " "),
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ),
        ),
        "i_bert": document(
            WORDPIECE,
            added_tokens=[
                added(number, name, "special", *(["lstrip"] if name == "[MASK]" else []))
                for number, name in enumerate(WORDPIECE_TOKENS[:5])
            ],
            normalizer={
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": None,
                "lowercase": True,
            },
            pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        ),
        "j_words": document(
            WORDLEVEL,
            added_tokens=odd_tokens(len(WORDLEVEL["vocab"])),
            normalizer=sequence(
                "normalizers", {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}
            ),
            pre_tokenizer={"type": "Whitespace"},
        ),
        "k_clip": document(
            clip,
            added_tokens=[
                added(0, "<|start|>", "special", "normalized"),
                added(1, "<|end|>", "special"),
            ],
            normalizer=sequence(
                "normalizers",
                {"type": "NFC"},
                replace({"Regex": r"\s+"}, " "),
                {"type": "Lowercase"},
            ),
            pre_tokenizer=sequence(
                "pretokenizers",
                split(CLIP, "Removed", invert=True),
                BYTE_LEVEL | {"trim_offsets": True},
            ),
            post_processor={
                "type": "RobertaProcessing",
                "sep": ["<|end|>", 1],
                "cls": ["<|start|>", 0],
                "trim_offsets": False,
                "add_prefix_space": False,
            },
            decoder=BYTE_LEVEL,
        ),
        "l_falcon": document(
            BYTE_BPE,
            added_tokens=odd,
            pre_tokenizer=sequence(
                "pretokenizers",
                {"type": "Punctuation", "behavior": "Contiguous"},
                BYTE_LEVEL,
                {"type": "Digits", "individual_digits": False},
                split(r"[0-9][0-9][0-9]"),
            ),
            decoder=BYTE_LEVEL,
        ),
        "m_subwords": document(
            subword,
            added_tokens=odd_tokens(len(subword["vocab"])),
            pre_tokenizer={"type": "WhitespaceSplit"},
            decoder={"type": "BPEDecoder", "suffix": "##"},
        ),
        "n_lossy_bytes": document(
            BYTE_BPE,
            added_tokens=odd,
            normalizer=sequence(
                "normalizers", {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "NFKD"}
            ),
            pre_tokenizer=sequence("pretokenizers", split(O200K), BYTES_ONLY),
            decoder=BYTE_LEVEL,
        ),
        "o_no_stages": document(
            bpe([*LETTERS, " "], [("a", "a"), ("t", "h")]), added_tokens=odd_tokens(29)
        ),
        "p_xlnet": document(
            UNIGRAM,
            added_tokens=[added(0, "<unk>", "special"), added(1, "</s>", "special")],
            normalizer=sequence(
                "normalizers", precompiled(), replace({"Regex": " {2,}"}, " "), {"type": "NFKD"}
            ),
            pre_tokenizer=metaspace,
            post_processor=template(None, 0, "</s>", 1),
            decoder=metaspace,
        ),
    }
