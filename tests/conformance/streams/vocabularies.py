"""Small tokenizers of every kind that models have, written in a moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.unit.tokenizer.trained_tokenizers import CORPUS, save_trained

_Json = dict[str, object]

# Pieces that random ids make text of, with spaces in front, behind, alone and in a row.
_WORDS = (
    "the",
    "quick",
    "fox",
    "ab",
    "aba",
    "stop",
    "é",
    "naïve",
    "你好",
    "。",
    "...",
    "!",
    "don't",
)
_PIECES = (
    *("▁", "▁▁", "▁▁▁▁"),
    *(f"▁{word}" for word in _WORDS),
    *_WORDS,
    *"abcdehnopstu,.\n",
    "x▁y",
    "\ufffd",
    "👩‍👩",
)
_BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
_SPECIAL = ("<unk>", "<s>", "</s>", "<image>")


def _added(tokens: tuple[str, ...]) -> list[_Json]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return [
        {"id": id_, "content": content, "special": True, **flags}
        for id_, content in enumerate(tokens)
    ]


def _document(model: _Json, decoder: _Json | None, normalizer: _Json | None = None) -> _Json:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added(_SPECIAL),
        "normalizer": normalizer,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": decoder,
        "model": model,
    }


def _sentence_piece(*, strip: bool) -> _Json:
    """Return a tokenizer like Llama-2's, or, without `strip`, like Gemma's."""
    tokens = dict.fromkeys((*_SPECIAL, *_BYTES, *_PIECES))
    decoders: list[_Json] = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if strip:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    model = {
        "type": "BPE",
        "unk_token": "<unk>",
        "fuse_unk": True,
        "byte_fallback": True,
        "vocab": {token: i for i, token in enumerate(tokens)},
        "merges": [],
    }
    return _document(
        model,
        {"type": "Sequence", "decoders": decoders},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    )


def _unigram() -> _Json:
    """Return a tokenizer like T5's."""
    tokens = dict.fromkeys((*_SPECIAL, *_PIECES))
    model = {
        "type": "Unigram",
        "unk_id": 0,
        "vocab": [[t, -float(i)] for i, t in enumerate(tokens)],
    }
    decoder = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return _document(model, decoder)


def _word_piece() -> _Json:
    """Return a tokenizer like BERT's."""
    tokens = dict.fromkeys(
        (*_SPECIAL, *_WORDS, *(f"##{word}" for word in _WORDS), "##", "'", "n't")
    )
    model = {
        "type": "WordPiece",
        "unk_token": "<unk>",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {token: i for i, token in enumerate(tokens)},
    }
    return _document(model, {"type": "WordPiece", "prefix": "##", "cleanup": True})


def _word_ends() -> _Json:
    """Return a tokenizer like CLIP's: a word ends with </w>."""
    tokens = dict.fromkeys((*_SPECIAL, *_WORDS, *(f"{word}</w>" for word in _WORDS)))
    model = {
        "type": "BPE",
        "unk_token": "<unk>",
        "end_of_word_suffix": "</w>",
        "vocab": {token: i for i, token in enumerate(tokens)},
        "merges": [],
    }
    return _document(model, {"type": "BPEDecoder", "suffix": "</w>"})


_DOCUMENTS: dict[str, Callable[[], _Json]] = {
    "llama2": lambda: _sentence_piece(strip=True),
    "gemma": lambda: _sentence_piece(strip=False),
    "t5": _unigram,
    "bert": _word_piece,
    "clip": _word_ends,
}
_TRAINED = ("gpt2", "llama3")  # byte-level
MADE = (*_DOCUMENTS, *_TRAINED)
TEXTS = (
    *CORPUS,
    "the quick fox don't stop",
    "aba ababa abab",
    "stop 你好。 naïve ...  !",
    "👩‍👩 é",
)


def write(name: str, path: Path) -> None:
    """Write the tokenizer.json of one of MADE."""
    if name in _TRAINED:
        save_trained(name, path)
    else:
        path.write_text(json.dumps(_DOCUMENTS[name](), ensure_ascii=False))
