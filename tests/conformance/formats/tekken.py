"""A small tekken.json, Mistral's own tokenizer file, with its real pattern and special tokens.

See "Tekken" in mistral-common's documentation. The merges are learned from a page of text.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_PATTERN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# The first twenty are those of a file that lists none.
SPECIAL = (
    *("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
    *("[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]"),
    *("[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
    *("[TOOL_CONTENT]", "[ARGS]", "[CALL_ID]", "[AUDIO]", "[BEGIN_AUDIO]", "[TRANSCRIBE]"),
    *("[THINK]", "[/THINK]"),
)
_SPECIAL_COUNT, _SIZE = 40, 600
_TEXT = (
    "You are a helpful assistant. A user asks, and the model answers in one short sentence.",
    "What is in this picture? Which of them is better? Write down what is said, word for word.",
    "What is the capital of France? Look at this: and this? Who are you? Whose? Thanks, yours.",
    "Qu'est-ce que c'est ? 這是什麼？ Καλημέρα, κόσμε! Count to three. One, two,\n\nthree.\r\n",
    "Thanks.\n\n\n",
)


@cache
def tokens() -> tuple[bytes, ...]:
    """Return the tokens that are no special ones, by rank: all bytes, then what is merged."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=_SIZE, show_progress=False)
    tokenizer.train_from_iterator(_TEXT * 2, trainer=trainer)
    learned = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    merged = [bytes(map(_byte_of().__getitem__, text)) for text, _ in learned if len(text) > 1]
    return (*(bytes([byte]) for byte in range(256)), *merged)


def vocabulary_size() -> int:
    """Return how many ids there are."""
    return _SPECIAL_COUNT + len(tokens())


def write_tekken(directory: Path, version: str, media: dict[str, Any]) -> None:
    """Write tekken.json; `media` are the settings of what is not text."""
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
        for rank, token in enumerate(tokens())
    ]
    special = [
        {"rank": rank, "token_str": token, "is_control": True} for rank, token in enumerate(SPECIAL)
    ]
    config = {
        "pattern": _PATTERN,
        "num_vocab_tokens": len(vocab),
        "default_vocab_size": vocabulary_size(),
        "default_num_special_tokens": _SPECIAL_COUNT,
        "version": version,
    }
    content = {"config": config, "vocab": vocab, **media}
    if version != "v3":  # the first files list none
        content["special_tokens"] = special
    (directory / "tekken.json").write_text(json.dumps(content), encoding="utf-8")


@cache
def _byte_of() -> dict[str, int]:
    """Return the byte for which each character of GPT-2's alphabet stands.

    Printable bytes stand for themselves; the others are the characters from U+0100 on, in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + place): byte for place, byte in enumerate(others)
    }
