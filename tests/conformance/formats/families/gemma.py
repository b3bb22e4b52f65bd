r"""Gemma 3 and PaliGemma.

Gemma 3 fixes `<start_of_turn>role\n…<end_of_turn>\n` with the role `model`, `<start_of_image>` for
an image, the system message in front of the first user's, `<bos>` in the template (model card of
google/gemma-3-4b-it). PaliGemma ships no template: its prompt is the task's text alone, and the
processor puts the image in front (model card of google/paligemma-3b-mix-224).
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

_NAMED = {
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
}
_GEMMA_3 = Vocabulary(
    "gemma",
    ["<start_of_turn>", "<end_of_turn>"],
    {
        **_NAMED,
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    },
    adds_bos=True,
)
_PALIGEMMA = Vocabulary("gemma", ["<image>"], {**_NAMED, "image_token": "<image>"}, adds_bos=True)
_TURNS = (
    "{{ bos_token }}{% set ns = namespace(system='') %}{% for m in messages %}"
    "{% if m.role == 'system' %}{% set ns.system = m.content[0].text + '\\n\\n' %}{% else %}"
    "{{ '<start_of_turn>' + {'user': 'user', 'assistant': 'model'}[m.role] + '\\n' + ns.system }}"
    "{% set ns.system = '' %}"
    "{% for part in m.content %}{% if part.type == 'image' %}<start_of_image>"
    "{% else %}{{ part.text | trim }}{% endif %}{% endfor %}{{ '<end_of_turn>\\n' }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
_SIDE = 56


def _write_gemma_3(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        Gemma3Config,
        Gemma3ImageProcessor,
        Gemma3Processor,
        Gemma3TextConfig,
        SiglipVisionConfig,
    )

    Gemma3Config(
        architectures=["Gemma3ForConditionalGeneration"],
        text_config=Gemma3TextConfig(**tiny_text(ids)),
        vision_config=SiglipVisionConfig(**TINY_VISION, image_size=_SIDE, patch_size=14),
        mm_tokens_per_image=4,
        boi_token_index=ids["<start_of_image>"],
        eoi_token_index=ids["<end_of_image>"],
        image_token_index=ids["<image_soft_token>"],
    ).save_pretrained(directory)
    Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": _SIDE, "width": _SIDE}),
        tokenizer=load_tokenizer(directory),
        image_seq_length=4,
    ).save_pretrained(directory)


def _write_paligemma(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        GemmaConfig,
        PaliGemmaConfig,
        PaliGemmaProcessor,
        SiglipImageProcessor,
        SiglipVisionConfig,
    )

    PaliGemmaConfig(
        architectures=["PaliGemmaForConditionalGeneration"],
        text_config=GemmaConfig(**tiny_text(ids)),
        vision_config=SiglipVisionConfig(**TINY_VISION, image_size=_SIDE, patch_size=14),
        image_token_index=ids["<image>"],
        projection_dim=64,
    ).save_pretrained(directory)
    images = SiglipImageProcessor(size={"height": _SIDE, "width": _SIDE})
    images.image_seq_length = (_SIDE // 14) ** 2
    PaliGemmaProcessor(image_processor=images, tokenizer=load_tokenizer(directory)).save_pretrained(
        directory
    )


CHECKPOINTS = (
    Checkpoint("gemma-3", _GEMMA_3, _TURNS, _write_gemma_3, frozenset({IMAGE})),
    Checkpoint(
        "paligemma",
        _PALIGEMMA,
        None,
        _write_paligemma,
        frozenset({IMAGE}),
        single=frozenset({IMAGE}),
    ),
)
