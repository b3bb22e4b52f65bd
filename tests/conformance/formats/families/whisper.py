"""Whisper: a sound for the encoder, and for the decoder the tokens that start a transcript.

It fixes `<|startoftranscript|>`, the language, the task, `<|notimestamps|>` (section 2.3 of "Robust
Speech Recognition via Large-Scale Weak Supervision", 2022). It ships no chat template.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import AUDIO, Checkpoint, load_tokenizer
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    [
        *("<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>"),
        *("<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
    ],
    {
        **dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), "<|endoftext|>"),
    },
)


def _write(directory: Path, ids: dict[str, int]) -> None:
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperProcessor

    layers = {
        f"{half}_{name}": value
        for half in ("encoder", "decoder")
        for name, value in (("layers", 1), ("attention_heads", 2), ("ffn_dim", 64))
    }
    WhisperConfig(
        **layers,
        architectures=["WhisperForConditionalGeneration"],
        d_model=64,
        vocab_size=max(ids.values()) + 1,
        num_mel_bins=80,
        decoder_start_token_id=ids["<|startoftranscript|>"],
    ).save_pretrained(directory)
    WhisperProcessor(
        feature_extractor=WhisperFeatureExtractor(feature_size=80),
        tokenizer=load_tokenizer(directory),
    ).save_pretrained(directory)


WHISPER = Checkpoint(
    "whisper",
    _VOCABULARY,
    None,
    _write,
    frozenset({AUDIO}),
    single=frozenset({AUDIO}),
    most_tokens=448,
)
