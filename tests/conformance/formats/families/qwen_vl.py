"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL.

The family fixes `<|vision_start|><|image_pad|><|vision_end|>`, `<|video_pad|>` for video, in
ChatML turns; the two older ones begin with a system message of their own (model cards of
Qwen/Qwen2-VL-2B-Instruct and Qwen/Qwen3-VL-4B-Instruct).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conformance.formats.checkpoints import (
    IMAGE,
    VIDEO,
    Checkpoint,
    load_tokenizer,
    tiny_text,
)
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    [
        *("<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),
        *("<|image_pad|>", "<|video_pad|>"),
    ],
    {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
)
_TURNS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% for part in m.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_SYSTEM = (
    "{% if messages[0].role != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}"
)
_ROPE = {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 10_000.0}


def _vision_ids(ids: dict[str, int]) -> dict[str, int]:
    return {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }


def _write_qwen2(directory: Path, ids: dict[str, int]) -> None:
    from transformers import Qwen2VLConfig, Qwen2VLProcessor

    vision = {"depth": 1, "embed_dim": 64, "hidden_size": 64, "num_heads": 2, "mlp_ratio": 1}
    Qwen2VLConfig(
        architectures=["Qwen2VLForConditionalGeneration"],
        text_config={**tiny_text(ids), "rope_parameters": _ROPE},
        vision_config=vision,
        **_vision_ids(ids),
    ).save_pretrained(directory)
    _write_processor(directory, Qwen2VLProcessor)


def _write_qwen2_5(directory: Path, ids: dict[str, int]) -> None:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLProcessor

    vision = {
        "depth": 1,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [0],
    }
    Qwen2_5_VLConfig(
        architectures=["Qwen2_5_VLForConditionalGeneration"],
        text_config={**tiny_text(ids), "rope_parameters": _ROPE},
        vision_config=vision,
        **_vision_ids(ids),
    ).save_pretrained(directory)
    _write_processor(directory, Qwen2_5_VLProcessor)


def _write_qwen3(directory: Path, ids: dict[str, int]) -> None:
    from transformers import Qwen3VLConfig, Qwen3VLProcessor

    vision = {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 64,
        "deepstack_visual_indexes": [0],
    }
    Qwen3VLConfig(
        architectures=["Qwen3VLForConditionalGeneration"],
        text_config={**tiny_text(ids), "rope_parameters": _ROPE},
        vision_config=vision,
        **_vision_ids(ids),
    ).save_pretrained(directory)
    _write_processor(directory, Qwen3VLProcessor, patch_size=16, own_video=True)


def _write_processor(
    directory: Path, processor_class: Any, *, patch_size: int = 14, own_video: bool = False
) -> None:
    from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor, Qwen3VLVideoProcessor

    size = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 64}
    video_class = Qwen3VLVideoProcessor if own_video else Qwen2VLVideoProcessor
    processor_class(
        image_processor=Qwen2VLImageProcessor(patch_size=patch_size, size=size),
        video_processor=video_class(patch_size=patch_size, size=size),
        tokenizer=load_tokenizer(directory),
    ).save_pretrained(directory)


CHECKPOINTS = (
    Checkpoint(
        "qwen2-vl",
        _VOCABULARY,
        _SYSTEM + _TURNS,
        _write_qwen2,
        frozenset({IMAGE, VIDEO}),
    ),
    Checkpoint(
        "qwen2.5-vl",
        _VOCABULARY,
        _SYSTEM + _TURNS,
        _write_qwen2_5,
        frozenset({IMAGE, VIDEO}),
    ),
    Checkpoint(
        "qwen3-vl",
        _VOCABULARY,
        _TURNS,
        _write_qwen3,
        frozenset({IMAGE, VIDEO}),
    ),
)
