r"""LLaVA-1.5, LLaVA-NeXT (the Mistral variant), LLaVA-OneVision and LLaVA-NeXT-Video.

What they fix, by the model cards of llava-hf: 1.5 and NeXT-Video `USER: <image>\nquestion
ASSISTANT:`, NeXT `[INST] <image>\nquestion [/INST]`, OneVision ChatML turns; everywhere images come
before the text of their turn, each with a line break.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conformance.formats.checkpoints import (
    IMAGE,
    TINY_VISION,
    VIDEO,
    Checkpoint,
    load_tokenizer,
    tiny_text,
)
from tests.conformance.formats.vocabulary import Vocabulary

_LLAMA = Vocabulary(
    "llama",
    ["<image>", "<video>"],
    {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "image_token": "<image>",
        "video_token": "<video>",
    },
    adds_bos=True,
)
_QWEN = Vocabulary(
    "byte-level",
    ["<|im_start|>", "<image>", "<video>"],
    {
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "image_token": "<image>",
        "video_token": "<video>",
    },
)


def _media_first(kind: str) -> str:
    return (
        f"{{% for part in m.content if part.type == '{kind}' %}}"
        f"{{{{ '<{kind}>\\n' }}}}{{% endfor %}}"
    )


_TEXTS = "{% for part in m.content if part.type == 'text' %}{{ part.text }}"
_VICUNA = (
    "{% for m in messages %}"
    "{{ {'system': '', 'user': 'USER: ', 'assistant': 'ASSISTANT: '}[m.role] }}"
    + _media_first("image")
    + _media_first("video")
    + _TEXTS
    + "{{ ' ' }}{% endfor %}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
_MISTRAL = (
    "{% for m in messages %}"
    "{% if m.role == 'system' %}{{ '<<SYS>>\\n' + m.content[0].text + '\\n<</SYS>>\\n\\n' }}"
    "{% elif m.role == 'user' %}[INST] "
    + _media_first("image")
    + _TEXTS
    + "{% endfor %} [/INST]{% else %}{{ m.content[0].text + eos_token }}{% endif %}{% endfor %}"
)
_CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    + _media_first("image")
    + _media_first("video")
    + _TEXTS
    + "{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_SIDE, _PATCH = 56, 14
# vLLM's pooling of frames wants patch * patch, and more.
_FRAME_SIDE = 224
_GRID = [[_SIDE, 2 * _SIDE], [2 * _SIDE, _SIDE], [2 * _SIDE, 2 * _SIDE]]


def _clip(side: int = _SIDE) -> Any:
    from transformers import CLIPVisionConfig

    return CLIPVisionConfig(**TINY_VISION, image_size=side, patch_size=_PATCH)


def _write_llava(directory: Path, ids: dict[str, int]) -> None:
    from transformers import CLIPImageProcessor, LlamaConfig, LlavaConfig, LlavaProcessor

    LlavaConfig(
        architectures=["LlavaForConditionalGeneration"],
        text_config=LlamaConfig(**tiny_text(ids)),
        vision_config=_clip(),
        image_token_index=ids["<image>"],
        image_seq_length=(_SIDE // _PATCH) ** 2,
    ).save_pretrained(directory)
    LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
        ),
        tokenizer=load_tokenizer(directory),
        **_CLIP_PLACES,
    ).save_pretrained(directory)


def _write_next(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        LlavaNextConfig,
        LlavaNextImageProcessor,
        LlavaNextProcessor,
        MistralConfig,
    )

    LlavaNextConfig(
        architectures=["LlavaNextForConditionalGeneration"],
        text_config=MistralConfig(**tiny_text(ids)),
        vision_config=_clip(),
        image_token_index=ids["<image>"],
        image_grid_pinpoints=_GRID,
        image_seq_length=(_SIDE // _PATCH) ** 2,
    ).save_pretrained(directory)
    LlavaNextProcessor(
        image_processor=_next_image_processor(LlavaNextImageProcessor),
        tokenizer=load_tokenizer(directory),
        **_CLIP_PLACES,
    ).save_pretrained(directory)


def _write_next_video(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        LlamaConfig,
        LlavaNextImageProcessor,
        LlavaNextVideoConfig,
        LlavaNextVideoProcessor,
        LlavaNextVideoVideoProcessor,
    )

    LlavaNextVideoConfig(
        architectures=["LlavaNextVideoForConditionalGeneration"],
        text_config=LlamaConfig(**tiny_text(ids)),
        vision_config=_clip(_FRAME_SIDE),
        image_token_index=ids["<image>"],
        video_token_index=ids["<video>"],
        image_grid_pinpoints=_GRID,
        image_seq_length=(_FRAME_SIDE // _PATCH) ** 2,
        video_seq_length=(_FRAME_SIDE // _PATCH // 2) ** 2,
    ).save_pretrained(directory)
    LlavaNextVideoProcessor(
        image_processor=_next_image_processor(LlavaNextImageProcessor),
        video_processor=LlavaNextVideoVideoProcessor(
            size={"shortest_edge": _FRAME_SIDE},
            crop_size={"height": _FRAME_SIDE, "width": _FRAME_SIDE},
        ),
        tokenizer=load_tokenizer(directory),
        **_CLIP_PLACES,
    ).save_pretrained(directory)


def _write_onevision(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
        Qwen2Config,
        SiglipVisionConfig,
    )

    LlavaOnevisionConfig(
        architectures=["LlavaOnevisionForConditionalGeneration"],
        text_config=Qwen2Config(**tiny_text(ids)),
        vision_config=SiglipVisionConfig(**TINY_VISION, image_size=_SIDE, patch_size=_PATCH),
        image_token_index=ids["<image>"],
        video_token_index=ids["<video>"],
        image_grid_pinpoints=_GRID,
    ).save_pretrained(directory)
    square = {"height": _SIDE, "width": _SIDE}
    LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=square, image_grid_pinpoints=_GRID),
        video_processor=LlavaOnevisionVideoProcessor(size=square),
        tokenizer=load_tokenizer(directory),
        num_image_tokens=(_SIDE // _PATCH) ** 2,
        vision_feature_select_strategy="full",
    ).save_pretrained(directory)


_CLIP_PLACES: dict[str, Any] = {
    "patch_size": _PATCH,
    "vision_feature_select_strategy": "default",
    "num_additional_image_tokens": 1,
}


def _next_image_processor(kind: Any) -> Any:
    return kind(
        size={"shortest_edge": _SIDE},
        crop_size={"height": _SIDE, "width": _SIDE},
        image_grid_pinpoints=_GRID,
    )


CHECKPOINTS = (
    Checkpoint("llava-1.5", _LLAMA, _VICUNA, _write_llava, frozenset({IMAGE})),
    Checkpoint("llava-next", _LLAMA, _MISTRAL, _write_next, frozenset({IMAGE})),
    Checkpoint(
        "llava-next-video",
        _LLAMA,
        _VICUNA,
        _write_next_video,
        frozenset({VIDEO}),
        single=frozenset({VIDEO}),
    ),
    Checkpoint("llava-onevision", _QWEN, _CHATML, _write_onevision, frozenset({IMAGE, VIDEO})),
)
