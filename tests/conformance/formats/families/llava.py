r"""LLaVA-1.5.

The family fixes `USER: <image>\nquestion ASSISTANT:`, answers ended by `</s>` (model card of
llava-hf/llava-1.5-7b-hf).
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import (
    IMAGE,
    TINY_TEXT,
    TINY_VISION,
    Checkpoint,
    load_tokenizer,
)
from tests.conformance.formats.vocabulary import Vocabulary

_LLAVA = Vocabulary(
    "llama",
    ["<image>"],
    {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "image_token": "<image>",
    },
    adds_bos=True,
)
_VICUNA = (
    "{% for m in messages %}"
    "{{ {'system': '', 'user': 'USER: ', 'assistant': 'ASSISTANT: '}[m.role] }}"
    "{% for part in m.content if part.type == 'image' %}{{ '<image>\\n' }}{% endfor %}"
    "{% for part in m.content if part.type == 'text' %}{{ part.text }}"
    "{{ eos_token if m.role == 'assistant' else ' ' }}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
_SIDE = 56


def _write_llava(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaProcessor,
    )

    vision = CLIPVisionConfig(**TINY_VISION, image_size=_SIDE, patch_size=14)
    LlavaConfig(
        architectures=["LlavaForConditionalGeneration"],
        text_config=LlamaConfig(**TINY_TEXT),
        vision_config=vision,
        image_token_index=ids["<image>"],
        image_seq_length=(_SIDE // 14) ** 2,
    ).save_pretrained(directory)
    LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
        ),
        tokenizer=load_tokenizer(directory),
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    ).save_pretrained(directory)


CHECKPOINTS = (
    Checkpoint("llava-1.5", _LLAVA, _VICUNA, _write_llava, frozenset({IMAGE}), "llava-1.5"),
)
