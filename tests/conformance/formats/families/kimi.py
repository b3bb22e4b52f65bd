"""Kimi-VL.

It fixes `<|media_start|>image<|media_content|><|media_pad|><|media_end|>` in turns
`<|im_user|>user<|im_middle|>…<|im_end|>`, and a system message of its own (model card of
moonshotai/Kimi-VL-A3B-Instruct). Real checkpoints bring the processor; the tests bring theirs.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import IMAGE, TINY_VISION, Checkpoint, tiny_text
from tests.conformance.formats.remote_code import write_code, write_json
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    [
        *("<|im_user|>", "<|im_assistant|>", "<|im_system|>", "<|im_middle|>"),
        *("<|media_start|>", "<|media_content|>", "<|media_pad|>", "<|media_end|>"),
    ],
    {"bos_token": "[BOS]", "eos_token": "<|im_end|>", "pad_token": "[PAD]"},
)
_TURNS = (
    "{% macro turn(role) %}{{ '<|im_' + role + '|>' + role + '<|im_middle|>' }}{% endmacro %}"
    "{% if messages[0].role != 'system' %}"
    "{{ turn('system') + 'You are a helpful assistant<|im_end|>' }}{% endif %}"
    "{% for m in messages %}{{ turn(m.role) }}{% for part in m.content %}"
    "{% if part.type == 'image' %}<|media_start|>image<|media_content|><|media_pad|><|media_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}{{ turn('assistant') }}{% endif %}"
)
# DeepSeek V2's attention; vLLM has its kernels for these two ranks together.
_LATENT = {
    "kv_lora_rank": 512,
    "q_lora_rank": None,
    "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 64,
    "v_head_dim": 32,
    "first_k_dense_replace": 1,
}


def _write(directory: Path, ids: dict[str, int]) -> None:
    config = {
        "architectures": ["KimiVLForConditionalGeneration"],
        "model_type": "kimi_vl",
        "text_config": {**tiny_text(ids), **_LATENT},
        "vision_config": {**TINY_VISION, "init_pos_emb_height": 8, "init_pos_emb_width": 8},
        "media_placeholder_token_id": ids["<|media_pad|>"],
        "pad_token_id": ids["[PAD]"],
    }
    write_json(directory / "config.json", config)
    processor = {
        "auto_map": {
            "AutoImageProcessor": "kimi_vl_code.KimiVLImageProcessor",
            "AutoProcessor": "kimi_vl_code.KimiVLProcessor",
        },
        "in_token_limit": 64,
    }
    write_json(directory / "preprocessor_config.json", processor)
    write_code(directory, "kimi_vl_code")


CHECKPOINTS = (
    Checkpoint(
        "kimi-vl",
        _VOCABULARY,
        _TURNS,
        _write,
        frozenset({IMAGE}),
        flags=("--trust-remote-code",),
    ),
)
