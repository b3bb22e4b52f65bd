r"""InternVL 3 in the form of Hugging Face, and in its own.

The first fixes `<IMG_CONTEXT>\n` for an image and `<video>\n` for a video in ChatML turns, no
default system message (model card of OpenGVLab/InternVL3-1B-hf). The other has `<image>` and
`<video>`, and a template for plain text (model card of OpenGVLab/InternVL3-1B); real checkpoints
bring the config's class, and the tests bring theirs.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import (
    IMAGE,
    TINY_VISION,
    VIDEO,
    Checkpoint,
    load_tokenizer,
    tiny_text,
)
from tests.conformance.formats.families.text import CHATML
from tests.conformance.formats.remote_code import write_code, write_json
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


def _write_own(directory: Path, ids: dict[str, int]) -> None:
    vision = {
        **TINY_VISION,
        "image_size": _SIDE,
        "patch_size": _PATCH,
        "qkv_bias": True,
        "qk_normalization": False,
        "norm_type": "layer_norm",
        "initializer_factor": 1.0,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-6,
    }
    config = {
        "architectures": ["InternVLChatModel"],
        "model_type": "internvl_chat",
        "auto_map": {"AutoConfig": "internvl_code.InternVLChatConfig"},
        "vision_config": vision,
        "llm_config": {**tiny_text(ids), "architectures": ["Qwen2ForCausalLM"]},
        "force_image_size": _SIDE,
        "downsample_ratio": 0.5,
        "ps_version": "v2",
        "select_layer": -1,
        "dynamic_image_size": True,
        "min_dynamic_patch": 1,
        "max_dynamic_patch": 4,
        "use_thumbnail": True,
    }
    write_json(directory / "config.json", config)
    write_code(directory, "internvl_code")


CHECKPOINTS = (
    Checkpoint("internvl-3", _VOCABULARY, _TURNS, _write, frozenset({IMAGE, VIDEO})),
    Checkpoint(
        "internvl-3-own",
        Vocabulary(
            "byte-level",
            ["<|im_start|>", "<img>", "</img>", "<IMG_CONTEXT>", "<|video_pad|>"],
            {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
            joins_places=True,
        ),
        CHATML,
        _write_own,
        frozenset({IMAGE, VIDEO}),
        flags=("--trust-remote-code",),
    ),
)
