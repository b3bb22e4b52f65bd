"""Small tokenizers in the styles of real models, trained in a moment on a few lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from tokenizers import decoders as hf_decoders
from tokenizers import processors as hf_processors

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_PATTERN = QWEN2_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

CORPUS = [
    "The quick brown fox doesn't jump over the lazy dog; they're both we've-seen-it-all types.",
    (
        "def main(argv):\n\tif not argv:\n\t\treturn 0  # nothing\n"
        "    x = [i ** 2 for i in range(100)]\n"
    ),
    "In 2024, 12345 people paid 67.89 EUR — naïve café façade, Việt Nam, Ελλάδα, Москва.",
    "你好，世界。今日は良い天気ですね。안녕하세요 세계 नमस्ते दुनिया مرحبا بالعالم שלום",
    "👨‍👩‍👧‍👦 🏳️‍🌈 😀😀😀  \n\n\n   \t\t  end",
] * 3


def byte_level(*, add_prefix_space: bool = False, use_regex: bool = True) -> object:
    """Make the pre-tokenizer."""
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)


def split_then_bytes(pattern: str) -> object:
    """Make the pre-tokenizer of Qwen2 and Llama 3: a pattern, then bytes."""
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), byte_level(use_regex=False)]
    )


def train(pre_tokenizer: object, *, nfc: bool = False, vocab_size: int = 600) -> Tokenizer:
    """Train a byte-level BPE on CORPUS, with the special tokens <|begin|> and <|end|>."""
    tokenizer = Tokenizer(models.BPE())
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizer  # type: ignore[assignment]
    tokenizer.decoder = hf_decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        show_progress=False,
        special_tokens=["<|begin|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = hf_processors.TemplateProcessing(
        single="<|begin|> $A", special_tokens=[("<|begin|>", 0)]
    )
    return tokenizer


STYLES: dict[str, Callable[[], Tokenizer]] = {
    "gpt2": lambda: train(byte_level()),
    "gpt2_prefix_space": lambda: train(byte_level(add_prefix_space=True)),
    "qwen2": lambda: train(split_then_bytes(QWEN2_PATTERN), nfc=True),
    "llama3": lambda: train(split_then_bytes(LLAMA3_PATTERN)),
}


def save_trained(style: str, path: Path) -> None:
    """Train a tokenizer in a style of `STYLES`, give it odd added tokens, and save it."""
    tokenizer = STYLES[style]()
    tokenizer.add_tokens(
        [
            AddedToken("<word>", single_word=True, normalized=False),
            AddedToken("<left>", lstrip=True, normalized=False),
            AddedToken("<right>", rstrip=True, normalized=False),
            AddedToken("<rightmost>", rstrip=True, lstrip=True, normalized=True),
            AddedToken("café", normalized=True),
        ]
    )
    tokenizer.save(str(path))
