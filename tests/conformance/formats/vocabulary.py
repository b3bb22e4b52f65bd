"""Small tokenizers of the kinds that families use, with each family's real special tokens.

The merges are learned from a page of text, so ids differ from the real checkpoints'. What is
compared does not need them: both sides read the same tokenizer.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

Kind = Literal["byte-level", "llama", "gemma"]

_SIZE = 500
_CORPUS = (
    "system user assistant model human ASSISTANT: USER: User: Assistant: Picture 1: Audio 1:",
    "You are a helpful assistant. A chat between a curious user and an assistant.",
    "What is in this picture? Describe the sound, and tell what you see in the video.",
    "The first image shows a cat; the second one shows two dogs that run after a ball.",
    "Please write down what is said, word for word, and answer in one short sentence.",
)
# Tokens of real vocabularies too: what a place that is text has, and a line break behind it.
_PLACES = ("image audio video", "<p>\n" * 50, "(a)\n" * 50)
_WORDS = Regex(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SENTENCE_PIECE = {"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True}
_LINE_BREAKS = ["\n" * count for count in range(1, 5)]
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer's kind and its special tokens; `named` ones are settings such as `eos_token`.

    byte-level: as Qwen, Llama 3 and Mistral's newer models; llama: SentencePiece with a space in
    front of a text; gemma: SentencePiece without. With `joins_places` a place that is text
    is made of words, and shares a token with the line break behind it. Special tokens begin at
    `first_special`, if that is more than there are others.
    """

    kind: Kind
    special: Sequence[str]
    named: dict[str, str] = field(default_factory=dict)
    adds_bos: bool = False
    joins_places: bool = False
    first_special: int = 0

    def write(self, directory: Path) -> dict[str, int]:
        """Write tokenizer.json and tokenizer_config.json; return the special tokens' ids."""
        corpus = (*_CORPUS, *_PLACES) if self.joins_places else _CORPUS
        tokenizer = Tokenizer.from_str(_trained(self.kind, corpus, self.first_special))
        texts = list(dict.fromkeys([*self.special, *self.named.values()]))
        tokenizer.add_special_tokens([AddedToken(one, normalized=False) for one in texts])
        if self.adds_bos:
            bos = self.named["bos_token"]
            tokenizer.post_processor = processors.TemplateProcessing(
                single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
            )
        tokenizer.save(str(directory / "tokenizer.json"))
        plain = {"bos_token", "eos_token", "pad_token", "unk_token"}
        config: dict[str, Any] = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 1 << 20,
            "clean_up_tokenization_spaces": False,
            "extra_special_tokens": {
                name: token for name, token in self.named.items() if name not in plain
            },
        }
        config |= {name: token for name, token in self.named.items() if name in plain}
        (directory / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
        return {text: tokenizer.token_to_id(text) for text in texts}


@cache
def _trained(kind: Kind, corpus: tuple[str, ...], size: int) -> str:
    tokenizer = _byte_level(corpus) if kind == "byte-level" else _sentence_piece(kind, corpus)
    content = json.loads(tokenizer.to_str())
    words = content["model"]["vocab"]
    words |= {f"unused {number}": number for number in range(len(words), size)}
    return json.dumps(content)


def _byte_level(corpus: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORDS, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_SIZE,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(corpus * 2, trainer=trainer)
    return tokenizer


def _sentence_piece(kind: Kind, corpus: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**_SENTENCE_PIECE))
    replace = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = (
        normalizers.Sequence([normalizers.Prepend("▁"), replace]) if kind == "llama" else replace
    )
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(
        steps + ([decoders.Strip(" ", 1, 0)] if kind == "llama" else [])
    )
    trainer = trainers.BpeTrainer(
        vocab_size=_SIZE + 256, show_progress=False, special_tokens=["<unk>", *_BYTES]
    )
    space = "" if kind == "llama" else " "  # Llama's normalizer puts its own in front
    words = [f"{space}{word}" for text in corpus for word in text.split()]
    tokenizer.train_from_iterator(words, trainer=trainer)
    return _as_in_checkpoints(tokenizer, kind)


def _as_in_checkpoints(tokenizer: Tokenizer, kind: Kind) -> Tokenizer:
    """Return it with byte pieces that are no added tokens, and with Gemma's runs of line breaks."""
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [
        token for token in content["added_tokens"] if token["content"] not in _BYTES
    ]
    if kind == "gemma":
        _add_line_breaks(content["model"])
    tokenizer = Tokenizer.from_str(json.dumps(content))
    if kind == "gemma":
        runs = [AddedToken(run, special=False, normalized=False) for run in _LINE_BREAKS]
        tokenizer.add_tokens(runs)
    return tokenizer


def _add_line_breaks(model: dict[str, Any]) -> None:
    """Put them into the vocabulary and, the longest first, in front of all merges."""
    vocabulary = model["vocab"]
    for run in _LINE_BREAKS:
        vocabulary.setdefault(run, len(vocabulary))
    model["merges"] = [
        *([run[:cut], run[cut:]] for run in reversed(_LINE_BREAKS) for cut in range(1, len(run))),
        *model["merges"],
    ]
