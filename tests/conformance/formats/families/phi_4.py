"""Phi-4-multimodal.

It fixes `<|image_1|>` and `<|audio_1|>`, numbered per kind, which are text and no tokens, in turns
`<|user|>…<|end|><|assistant|>`; its template takes plain text (model card of
microsoft/Phi-4-multimodal-instruct). Real checkpoints bring config and processor; the tests bring
theirs.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import AUDIO, IMAGE, Checkpoint, tiny_text
from tests.conformance.formats.remote_code import write_code, write_json
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    [
        # vLLM 0.32 writes their ids, 200010 and 200011, for media.
        *("<|endoftext10|>", "<|endoftext11|>"),
        *("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    ],
    dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), "<|endoftext|>"),
    joins_places=True,
    first_special=200_010,
)
_TURNS = (
    "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_ENCODER = {
    "input_size": 80,
    "chunk_size": -1,
    "left_chunk": 18,
    "attention_dim": 64,
    "attention_heads": 2,
    "linear_units": 64,
    "num_blocks": 1,
    "time_reduction": 8,
    "causal": True,
    "nemo_conv_settings": {"conv_channels": 64},
    "relative_attention_bias_args": {"type": "t5", "t5_bias_max_distance": 500},
    "encoder_embedding_config": {"input_size": 80},
}


def _write(directory: Path, ids: dict[str, int]) -> None:
    config = {
        **tiny_text(ids),
        "architectures": ["Phi4MMForCausalLM"],
        "model_type": "phi4mm",
        "auto_map": {"AutoConfig": "phi_4_code.Phi4MMConfig"},
        "pad_token_id": ids["<|endoftext|>"],
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|endoftext|>"],
        "tie_word_embeddings": True,
        "audio_processor": {"name": "cascades", "config": _ENCODER},
        "embd_layer": {
            "audio_embd_layer": {
                "embedding_cls": "audio",
                "compression_rate": 8,
                "downsample_rate": 1,
                "projection_cls": "mlp",
            }
        },
    }
    write_json(directory / "config.json", config)
    processor = {
        "auto_map": {
            "AutoFeatureExtractor": "phi_4_code.Phi4MMAudioFeatureExtractor",
            "AutoImageProcessor": "phi_4_code.Phi4MMImageProcessor",
            "AutoProcessor": "phi_4_code.Phi4MMProcessor",
        },
        "dynamic_hd": 4,
    }
    write_json(directory / "preprocessor_config.json", processor)
    write_code(directory, "phi_4_code")


CHECKPOINTS = (
    Checkpoint(
        "phi-4-multimodal",
        _VOCABULARY,
        _TURNS,
        _write,
        frozenset({IMAGE, AUDIO}),
        flags=("--trust-remote-code",),
    ),
)
