"""Train the demo's tokenizer: byte-level BPE as in Qwen2 (NFC, the Qwen2 split, byte alphabet).

The corpus is the tables of `questions`, so a prompt is about as many tokens as it has words; any
other text falls back to single bytes and still round-trips. Special tokens are those of the real
Qwen2.5-Omni, ids after the merges.
"""

from __future__ import annotations

from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from demo import questions
from demo.model_config import MAX_PIXELS, MAX_POSITIONS, MIN_PIXELS

SYSTEM_LINE = "You are a helpful assistant."
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|AUDIO|>",
    "<|audio_bos|>",
    "<|audio_eos|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_bos|>",
    "<|vision_eos|>",
    "<|vision_pad|>",
    "<|IMAGE|>",
    "<|VIDEO|>",
)
MERGED_VOCAB = 690
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_NAMED = {
    "image_token": "<|IMAGE|>",
    "audio_token": "<|AUDIO|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}


def train_tokenizer() -> Tokenizer:
    """Train on the fixed corpus; the outcome is the same each time."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=False, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel(
        add_prefix_space=False, trim_offsets=False, use_regex=False
    )
    trainer = trainers.BpeTrainer(
        vocab_size=MERGED_VOCAB,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    corpus = [*questions.all_texts(), f"system\n{SYSTEM_LINE}\n", "user\n", "assistant\n"]
    tokenizer.train_from_iterator(corpus * 2, trainer=trainer)
    tokenizer.add_special_tokens(
        [AddedToken(text, special=True, normalized=False) for text in SPECIAL_TOKENS]
    )
    return tokenizer


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """Map each special token's text to its id."""
    return {text: tokenizer.token_to_id(text) for text in SPECIAL_TOKENS}


def tokenizer_config(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return tokenizer_config.json.

    `size` is no tokenizer setting: transformers lays a tokenizer's own values over the defaults of
    the processor, and that is the one way in which a checkpoint can undo
    `Qwen2_5OmniProcessorKwargs`' video size (100,352 pixels a frame at least). Without it every
    frame would be blown up to 128 merged tokens.
    """
    added = {
        str(tokenizer.token_to_id(text)): {
            "content": text,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for text in SPECIAL_TOKENS
    }
    return {
        "tokenizer_class": "Qwen2Tokenizer",
        "processor_class": "Qwen2_5OmniProcessor",
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": list(SPECIAL_TOKENS[1:]),
        "extra_special_tokens": _NAMED,
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "clean_up_tokenization_spaces": False,
        "errors": "replace",
        "model_max_length": MAX_POSITIONS,
        "split_special_tokens": False,
        "size": {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS},
        **_NAMED,
    }
