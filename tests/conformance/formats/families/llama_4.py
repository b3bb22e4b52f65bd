r"""Llama 4.

It fixes `<|begin_of_text|>`, turns `<|header_start|>role<|header_end|>\n\n…<|eot|>`, and
`<|image|>` for an image; it trims texts (model card of meta-llama/Llama-4-Scout-17B-16E-Instruct).
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import (
    IMAGE,
    TINY_VISION,
    Checkpoint,
    load_tokenizer,
    tiny_text,
)
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    [
        *("<|header_start|>", "<|header_end|>", "<|image|>", "<|image_start|>", "<|image_end|>"),
        *("<|patch|>", "<|tile_x_separator|>", "<|tile_y_separator|>"),
    ],
    {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot|>", "pad_token": "<|finetune_pad|>"},
    adds_bos=True,
)
_TURNS = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<|header_start|>' + m.role + '<|header_end|>\\n\\n' }}"
    "{% for part in m.content %}{% if part.type == 'image' %}<|image|>"
    "{% else %}{{ part.text | trim }}{% endif %}{% endfor %}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|header_start|>assistant<|header_end|>\\n\\n' }}{% endif %}"
)
_SIDE = 56


def _write(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        Llama4Config,
        Llama4ImageProcessor,
        Llama4Processor,
        Llama4TextConfig,
        Llama4VisionConfig,
    )

    vision = {
        **TINY_VISION,
        # What pixel shuffling leaves: each two by two patches side by side.
        "intermediate_size": 4 * TINY_VISION["hidden_size"],
        "image_size": _SIDE,
        "patch_size": 14,
        "pixel_shuffle_ratio": 0.5,
        "projector_input_dim": 64,
        "projector_output_dim": 64,
        "vision_output_dim": 64,
    }
    Llama4Config(
        architectures=["Llama4ForConditionalGeneration"],
        text_config=Llama4TextConfig(
            **tiny_text(ids), intermediate_size_mlp=64, num_local_experts=1
        ),
        vision_config=Llama4VisionConfig(**vision),
        boi_token_index=ids["<|image_start|>"],
        eoi_token_index=ids["<|image_end|>"],
        image_token_index=ids["<|patch|>"],
    ).save_pretrained(directory)
    Llama4Processor(
        image_processor=Llama4ImageProcessor(
            size={"height": _SIDE, "width": _SIDE}, max_patches=4, resize_to_max_canvas=False
        ),
        tokenizer=load_tokenizer(directory),
        patch_size=14,
    ).save_pretrained(directory)


CHECKPOINTS = (Checkpoint("llama-4", _VOCABULARY, _TURNS, _write, frozenset({IMAGE})),)
