r"""GLM-4.1V.

It fixes `[gMASK]<sop>`, turns `<|user|>\n…`, `<|assistant|>\n…` without an end,
`<|begin_of_image|><|image|><|end_of_image|>` and the same for video (model card of
zai-org/GLM-4.1V-9B-Thinking).
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
    [
        *("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>"),
        *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"),
        *("<|image|>", "<|video|>"),
    ],
    {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
)
_TURNS = (
    "[gMASK]<sop>{% for m in messages %}{{ '<|' + m.role + '|>\\n' }}"
    "{% for part in m.content %}"
    "{% if part.type == 'image' %}<|begin_of_image|><|image|><|end_of_image|>"
    "{% elif part.type == 'video' %}<|begin_of_video|><|video|><|end_of_video|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)


def _write(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        Glm4vConfig,
        Glm4vImageProcessor,
        Glm4vProcessor,
        Glm4vVideoProcessor,
    )

    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0}
    Glm4vConfig(
        architectures=["Glm4vForConditionalGeneration"],
        text_config={**tiny_text(ids), "rope_parameters": rope},
        vision_config={
            "depth": 1,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "image_size": 56,
            "patch_size": 14,
        },
        image_token_id=ids["<|image|>"],
        video_token_id=ids["<|video|>"],
        image_start_token_id=ids["<|begin_of_image|>"],
        image_end_token_id=ids["<|end_of_image|>"],
        video_start_token_id=ids["<|begin_of_video|>"],
        video_end_token_id=ids["<|end_of_video|>"],
    ).save_pretrained(directory)
    size = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 64}
    Glm4vProcessor(
        image_processor=Glm4vImageProcessor(size=size),
        video_processor=Glm4vVideoProcessor(size=size),
        tokenizer=load_tokenizer(directory),
    ).save_pretrained(directory)


CHECKPOINTS = (
    Checkpoint(
        "glm-4.1v",
        _VOCABULARY,
        _TURNS,
        _write,
        frozenset({IMAGE, VIDEO}),
        single=frozenset({VIDEO}),
    ),
)
