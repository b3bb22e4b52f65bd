"""Pixtral in the form of Hugging Face, and Mistral 3.

Both fix `[INST]…[/INST]` with `[IMG]` for an image, the answer ended by `</s>`, `<s>` in the
template; Mistral 3 has `[SYSTEM_PROMPT]…[/SYSTEM_PROMPT]` (model cards of
mistral-community/pixtral-12b and mistralai/Mistral-Small-3.1-24B-Instruct-2503). Pixtral puts the
system message into the last user's turn.
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

_VOCABULARY = Vocabulary(
    "byte-level",
    [
        *("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        *("[IMG]", "[IMG_BREAK]", "[IMG_END]"),
    ],
    {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
    adds_bos=True,
)
_PARTS = (
    "{% for part in m.content %}{% if part.type == 'image' %}[IMG]"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}"
)
_ANSWER = "{% else %}{{ m.content[0].text + eos_token }}{% endif %}{% endfor %}"
_MISTRAL_3 = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}"
    "{{ '[SYSTEM_PROMPT]' + m.content[0].text + '[/SYSTEM_PROMPT]' }}"
    "{% elif m.role == 'user' %}[INST]" + _PARTS + "[/INST]" + _ANSWER
)
_PIXTRAL = (
    "{{ bos_token }}{% set ns = namespace(system='') %}{% for m in messages %}"
    "{% if m.role == 'system' %}{% set ns.system = m.content[0].text + '\\n' %}"
    "{% elif m.role == 'user' %}[INST]{% if loop.last %}{{ ns.system }}{% endif %}"
    + _PARTS
    + "[/INST]"
    + _ANSWER
)


def _vision() -> Any:
    from transformers import PixtralVisionConfig

    return PixtralVisionConfig(**TINY_VISION, head_dim=32, image_size=112, patch_size=14)


def _write_pixtral(directory: Path, ids: dict[str, int]) -> None:
    from transformers import LlavaConfig, MistralConfig

    LlavaConfig(
        architectures=["LlavaForConditionalGeneration"],
        text_config=MistralConfig(**tiny_text(ids)),
        vision_config=_vision(),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        image_token_index=ids["[IMG]"],
    ).save_pretrained(directory)
    _write_processor(directory, merge=1)


def _write_mistral_3(directory: Path, ids: dict[str, int]) -> None:
    from transformers import Mistral3Config, MistralConfig

    Mistral3Config(
        architectures=["Mistral3ForConditionalGeneration"],
        text_config=MistralConfig(**tiny_text(ids)),
        vision_config=_vision(),
        vision_feature_layer=-1,
        spatial_merge_size=2,
        image_token_index=ids["[IMG]"],
    ).save_pretrained(directory)
    _write_processor(directory, merge=2)


def _write_processor(directory: Path, *, merge: int) -> None:
    from transformers import PixtralImageProcessor, PixtralProcessor

    PixtralProcessor(
        image_processor=PixtralImageProcessor(
            patch_size={"height": 14, "width": 14}, size={"longest_edge": 112}
        ),
        tokenizer=load_tokenizer(directory),
        patch_size=14,
        spatial_merge_size=merge,
    ).save_pretrained(directory)


CHECKPOINTS = (
    Checkpoint("pixtral", _VOCABULARY, _PIXTRAL, _write_pixtral, frozenset({IMAGE})),
    Checkpoint("mistral-3", _VOCABULARY, _MISTRAL_3, _write_mistral_3, frozenset({IMAGE})),
)
