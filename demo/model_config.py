"""Shape of the demo checkpoint: a Qwen2.5-Omni thinker of about 2.5 million parameters.

Every size below is the family's own kind of number, only small. Three departures matter and are on
purpose:

* pictures and frames are scaled to about 84 x 84 pixels (9 to 12 merged tokens each);
* the mel hop is 20 ms instead of 10 ms, so that one second of sound is 12.5 tokens;
* the rotary base is 100 instead of a million, because prompts are short and heads are narrow.
"""

from __future__ import annotations

from typing import Any

from transformers import Qwen2_5OmniThinkerConfig

PATCH_SIZE = 14
MERGE_SIZE = 2
TEMPORAL_PATCH_SIZE = 2
MIN_PIXELS = 7_000
MAX_PIXELS = 9_500
SAMPLING_RATE = 16_000
HOP_LENGTH = 320
N_FFT = 400
MEL_BINS = 64
CHUNK_SECONDS = 30
POSITION_IDS_PER_SECOND = 25
MAX_POSITIONS = 4_096

_WIDTH = 128
_HEADS = 4


def vision_config() -> dict[str, Any]:
    """Return the vision tower: 4 blocks, all with full attention inside a frame."""
    return {
        "model_type": "qwen2_5_omni_vision_encoder",
        "depth": 4,
        "hidden_size": _WIDTH,
        "intermediate_size": 256,
        "num_heads": _HEADS,
        "in_channels": 3,
        "patch_size": PATCH_SIZE,
        "spatial_merge_size": MERGE_SIZE,
        "temporal_patch_size": TEMPORAL_PATCH_SIZE,
        "window_size": 112,
        "fullatt_block_indexes": [0, 1, 2, 3],
        "out_hidden_size": _WIDTH,
        "tokens_per_second": POSITION_IDS_PER_SECOND,
    }


def audio_config() -> dict[str, Any]:
    """Return the audio tower: 2 layers over chunks of 4 seconds."""
    return {
        "model_type": "qwen2_5_omni_audio_encoder",
        "num_mel_bins": MEL_BINS,
        "encoder_layers": 2,
        "encoder_attention_heads": _HEADS,
        "encoder_ffn_dim": 256,
        "d_model": _WIDTH,
        "max_source_positions": 1500,
        "n_window": 100,
        "output_dim": _WIDTH,
    }


def text_config(vocab_size: int) -> dict[str, Any]:
    """Return the language model: 4 layers of width 128."""
    return {
        "model_type": "qwen2_5_omni_text",
        "vocab_size": vocab_size,
        "hidden_size": _WIDTH,
        "intermediate_size": 384,
        "num_hidden_layers": 4,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "max_position_embeddings": MAX_POSITIONS,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
        "rope_theta": 100.0,
        "rope_scaling": {"type": "default", "rope_type": "default", "mrope_section": [4, 6, 6]},
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 100.0,
            "mrope_section": [4, 6, 6],
        },
    }


def thinker_config(token_ids: dict[str, int], vocab_size: int) -> dict[str, Any]:
    """Return the whole thinker; `token_ids` maps each special token's text to its id."""
    return {
        "model_type": "qwen2_5_omni_thinker",
        "architectures": ["Qwen2_5OmniThinkerForConditionalGeneration"],
        "audio_config": audio_config(),
        "vision_config": vision_config(),
        "text_config": text_config(vocab_size),
        "audio_token_index": token_ids["<|AUDIO|>"],
        "image_token_index": token_ids["<|IMAGE|>"],
        "video_token_index": token_ids["<|VIDEO|>"],
        "audio_start_token_id": token_ids["<|audio_bos|>"],
        "audio_end_token_id": token_ids["<|audio_eos|>"],
        "vision_start_token_id": token_ids["<|vision_bos|>"],
        "vision_end_token_id": token_ids["<|vision_eos|>"],
        "vision_token_id": token_ids["<|vision_pad|>"],
        "bos_token_id": token_ids["<|im_start|>"],
        "eos_token_id": token_ids["<|im_end|>"],
        "pad_token_id": token_ids["<|endoftext|>"],
        "position_id_per_seconds": POSITION_IDS_PER_SECOND,
        "seconds_per_chunk": 2,
        "user_token_id": 0,
        "tie_word_embeddings": False,
    }


def build_thinker_config(token_ids: dict[str, int], vocab_size: int) -> Qwen2_5OmniThinkerConfig:
    """Return the same as the class that transformers builds the model from."""
    values = thinker_config(token_ids, vocab_size)
    values.pop("model_type")
    values["text_config"].pop("rope_theta")
    values["text_config"].pop("rope_scaling")
    return Qwen2_5OmniThinkerConfig(**values)
