r"""InternVL 3 in the form of Hugging Face.

It fixes `<IMG_CONTEXT>\n` for an image and `<video>\n` for a video in ChatML turns, no default
system message (model card of OpenGVLab/InternVL3-1B-hf).
"""

from __future__ import annotations

from pathlib import Path

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
    ["<|im_start|>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>"],
    {
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    },
)
_TURNS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% for part in m.content %}"
    "{% if part.type == 'image' %}{{ '<IMG_CONTEXT>\\n' }}"
    "{% elif part.type == 'video' %}{{ '<video>\\n' }}"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_SIDE, _PATCH = 56, 14


def _write(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLProcessor,
        InternVLVideoProcessor,
        InternVLVisionConfig,
        Qwen2Config,
    )

    InternVLConfig(
        architectures=["InternVLForConditionalGeneration"],
        text_config=Qwen2Config(**tiny_text(ids)),
        vision_config=InternVLVisionConfig(
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=[_SIDE, _SIDE],
            patch_size=[_PATCH, _PATCH],
        ),
        image_token_id=ids["<IMG_CONTEXT>"],
        image_seq_length=4,
        downsample_ratio=0.5,
    ).save_pretrained(directory)
    square = {"height": _SIDE, "width": _SIDE}
    InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=square, crop_to_patches=True, max_patches=4),
        video_processor=InternVLVideoProcessor(size=square),
        tokenizer=load_tokenizer(directory),
        image_seq_length=4,
    ).save_pretrained(directory)


CHECKPOINTS = (Checkpoint("internvl-3", _VOCABULARY, _TURNS, _write, frozenset({IMAGE, VIDEO})),)
