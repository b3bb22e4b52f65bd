r"""Idefics 3 and SmolVLM.

They fix `Role: text<end_of_utterance>\n`, no space behind the colon before an image, `<image>` for
an image and `<video>` for a video; Idefics 3 begins with `<|begin_of_text|>`, SmolVLM with
`<|im_start|>` (model cards of HuggingFaceM4/Idefics3-8B-Llama3 and
HuggingFaceTB/SmolVLM2-2.2B-Instruct).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conformance.formats.checkpoints import (
    IMAGE,
    TINY_VISION,
    Checkpoint,
    load_tokenizer,
    tiny_text,
)
from tests.conformance.formats.vocabulary import Vocabulary

_MEDIA = [
    *("<image>", "<video>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
    *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
]
_TURNS = (
    "{{ bos_token }}{% for m in messages %}{{ m.role | capitalize }}"
    "{{ ':' if m.content[0].type == 'image' else ': ' }}"
    "{% for part in m.content %}"
    "{% if part.type == 'image' %}<image>{% elif part.type == 'video' %}<video>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{{ '<end_of_utterance>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
_SIDE = 56


def _write_idefics_3(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        Idefics3Config,
        Idefics3ImageProcessor,
        Idefics3Processor,
        LlamaConfig,
    )

    Idefics3Config(
        architectures=["Idefics3ForConditionalGeneration"],
        text_config=LlamaConfig(**tiny_text(ids)),
        vision_config=_vision(),
        scale_factor=2,
        image_token_id=ids["<image>"],
    ).save_pretrained(directory)
    Idefics3Processor(
        image_processor=Idefics3ImageProcessor(**_sizes()),
        tokenizer=load_tokenizer(directory),
        image_seq_len=4,
    ).save_pretrained(directory)


def _write_smolvlm(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        LlamaConfig,
        SmolVLMConfig,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    SmolVLMConfig(
        architectures=["SmolVLMForConditionalGeneration"],
        text_config=LlamaConfig(**tiny_text(ids)),
        vision_config=_vision(),
        scale_factor=2,
        image_token_id=ids["<image>"],
        pad_token_id=ids["<|im_end|>"],
    ).save_pretrained(directory)
    SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(**_sizes()),
        tokenizer=load_tokenizer(directory),
        # Asked for, although vLLM gives the model images only.
        video_processor=SmolVLMVideoProcessor(**_sizes()),
        image_seq_len=4,
    ).save_pretrained(directory)


def _vision() -> dict[str, Any]:
    return {**TINY_VISION, "image_size": _SIDE, "patch_size": 14}


def _sizes() -> dict[str, Any]:
    return {"size": {"longest_edge": 2 * _SIDE}, "max_image_size": {"longest_edge": _SIDE}}


CHECKPOINTS = (
    Checkpoint(
        "idefics-3",
        Vocabulary(
            "byte-level",
            _MEDIA,
            {
                "bos_token": "<|begin_of_text|>",
                "eos_token": "<|end_of_text|>",
                "pad_token": "<|end_of_text|>",
            },
            adds_bos=True,
        ),
        _TURNS,
        _write_idefics_3,
        frozenset({IMAGE}),
    ),
    Checkpoint(
        "smolvlm",
        Vocabulary(
            "byte-level",
            _MEDIA,
            {
                "bos_token": "<|im_start|>",
                "eos_token": "<end_of_utterance>",
                "unk_token": "<|endoftext|>",
                "pad_token": "<|im_end|>",
                "fake_image_token": "<fake_token_around_image>",
                "image_token": "<image>",
                "end_of_utterance_token": "<end_of_utterance>",
                "global_image_token": "<global-img>",
            },
        ),
        _TURNS,
        _write_smolvlm,
        frozenset({IMAGE}),
    ),
)
