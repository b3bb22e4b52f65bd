r"""Qwen2-Audio, Qwen2.5-Omni and Qwen3-Omni.

ChatML turns. Qwen2-Audio fixes `Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n`, numbered through
the conversation; its checkpoints ship no template, transformers' processor has one. Qwen2.5-Omni is
the bundled demo model. Qwen3-Omni fixes `<|audio_start|><|audio_pad|><|audio_end|>` and Qwen3-VL's
vision markers (model cards of Qwen/Qwen2-Audio-7B-Instruct and Qwen/Qwen3-Omni-30B-A3B-Instruct).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.conformance.formats.checkpoints import (
    AUDIO,
    IMAGE,
    VIDEO,
    Checkpoint,
    load_tokenizer,
    tiny_text,
)
from tests.conformance.formats.vocabulary import Vocabulary

_DEMO = Path(__file__).resolve().parents[4] / "demo" / "model"
_TURN_TOKENS = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
_MEDIA_TOKENS = {
    "image_token": "<|image_pad|>",
    "audio_token": "<|audio_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
    "audio_bos_token": "<|audio_start|>",
    "audio_eos_token": "<|audio_end|>",
}
_OMNI_TURNS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% for part in m.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part.type == 'audio' %}<|audio_start|><|audio_pad|><|audio_end|>"
    "{% elif part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_TINY_AUDIO: dict[str, Any] = {
    "num_mel_bins": 80,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "d_model": 64,
}


def _feature_extractor() -> Any:
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=80)


def _write_qwen2_audio(directory: Path, ids: dict[str, int]) -> None:
    from transformers import Qwen2AudioConfig, Qwen2AudioProcessor

    Qwen2AudioConfig(
        architectures=["Qwen2AudioForConditionalGeneration"],
        text_config={**tiny_text(ids), "model_type": "qwen2"},
        audio_config={**_TINY_AUDIO, "model_type": "qwen2_audio_encoder"},
        audio_token_index=ids["<|AUDIO|>"],
    ).save_pretrained(directory)
    Qwen2AudioProcessor(
        feature_extractor=_feature_extractor(), tokenizer=load_tokenizer(directory)
    ).save_pretrained(directory)


def _copy_demo(directory: Path, _: dict[str, int]) -> None:
    for file in _DEMO.iterdir():
        shutil.copy(file, directory)


def _write_qwen3_omni(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        Qwen3OmniMoeConfig,
        Qwen3OmniMoeProcessor,
    )

    rope = {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 10_000.0}
    experts = {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 64}
    text = {**tiny_text(ids), **experts, "rope_parameters": rope}
    thinker = {
        # vLLM 0.32 asks for what real checkpoints have, and transformers' classes have not.
        "text_config": {**text, "tie_word_embeddings": False},
        "audio_config": {**_TINY_AUDIO, "output_dim": 64, "downsample_hidden_size": 16},
        "vision_config": {
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "deepstack_visual_indexes": [0],
            "image_size": 768,
            "apply_vit_abs_pos_embed": True,
        },
        "image_token_id": ids["<|image_pad|>"],
        "audio_token_id": ids["<|audio_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "audio_start_token_id": ids["<|audio_start|>"],
        "audio_end_token_id": ids["<|audio_end|>"],
    }
    Qwen3OmniMoeConfig(
        architectures=["Qwen3OmniMoeForConditionalGeneration"],
        thinker_config=thinker,
        enable_audio_output=False,
    ).save_pretrained(directory)
    size = {"shortest_edge": 32 * 32, "longest_edge": 32 * 32 * 64}
    Qwen3OmniMoeProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=16, size=size),
        video_processor=Qwen2VLVideoProcessor(patch_size=16, size=size),
        feature_extractor=_feature_extractor(),
        tokenizer=load_tokenizer(directory),
    ).save_pretrained(directory)


_ALL = frozenset({IMAGE, AUDIO, VIDEO})
CHECKPOINTS = (
    Checkpoint(
        "qwen2-audio",
        Vocabulary(
            "byte-level",
            ["<|im_start|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"],
            _TURN_TOKENS,
        ),
        None,
        _write_qwen2_audio,
        frozenset({AUDIO}),
    ),
    Checkpoint("qwen2.5-omni", None, None, _copy_demo, _ALL),
    Checkpoint(
        "qwen3-omni",
        Vocabulary("byte-level", ["<|im_start|>"], {**_TURN_TOKENS, **_MEDIA_TOKENS}),
        _OMNI_TURNS,
        _write_qwen3_omni,
        _ALL,
    ),
)
