"""Ultravox on a Llama 3.

It fixes `<|audio|>` in the turns of its text model, whose template takes plain text (model card of
fixie-ai/ultravox-v0_5-llama-3_2-1b). `<|audio|>` is no token of the vocabulary; what it becomes is
one that turns of text have too, `<|eot_id|>`. Real checkpoints bring the processor; the tests bring
theirs.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import AUDIO, Checkpoint, tiny_text
from tests.conformance.formats.families.text import LLAMA_3
from tests.conformance.formats.remote_code import write_code, write_json
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    ["<|start_header_id|>", "<|end_header_id|>"],
    {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
    adds_bos=True,
    joins_places=True,
)


def _write(directory: Path, ids: dict[str, int]) -> None:
    from transformers import WhisperFeatureExtractor

    config = {
        "architectures": ["UltravoxModel"],
        "model_type": "ultravox",
        "text_config": {**tiny_text(ids), "model_type": "llama"},
        "audio_config": {
            "model_type": "whisper",
            "d_model": 64,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "num_mel_bins": 80,
        },
        "audio_token_index": ids["<|eot_id|>"],
        "hidden_size": 64,
        "projector_ln_mid": True,
        "vocab_size": max(ids.values()) + 1,
    }
    write_json(directory / "config.json", config)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(directory)
    processor = {"auto_map": {"AutoProcessor": "ultravox_code.UltravoxProcessor"}}
    write_json(directory / "processor_config.json", processor)
    write_code(directory, "ultravox_code")


CHECKPOINTS = (
    Checkpoint(
        "ultravox",
        _VOCABULARY,
        LLAMA_3,
        _write,
        frozenset({AUDIO}),
        flags=("--trust-remote-code",),
    ),
)
