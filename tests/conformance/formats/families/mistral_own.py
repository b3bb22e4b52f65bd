"""Pixtral, Voxtral and a model of text only in Mistral's own format.

params.json has the sizes; tekken.json has the tokenizer, what becomes of media, and the version of
the prompts: Pixtral 12B's is v3, Mistral Small 3.1's v7, 3.2's v11, Magistral's v13. There is no
chat template. Settings are those of the checkpoints, with smaller media.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.domain.conversation import Modality
from tests.conformance.formats.checkpoints import AUDIO, IMAGE, Checkpoint
from tests.conformance.formats.tekken import SPECIAL, vocabulary_size, write_tekken

_Settings = dict[str, Any]

_PATCH, _SIDE = 14, 112
_CHUNK_S, _RATE_HZ, _FRAMES_PER_S = 2.0, 16_000, 12.5
_SPECTROGRAM = {"num_mel_bins": 80, "hop_length": 160, "window_size": 400}
_VISION: _Settings = {
    "hidden_size": 64,
    "num_channels": 3,
    "image_size": _SIDE,
    "patch_size": _PATCH,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "rope_theta": 1e4,
    "image_token_id": SPECIAL.index("[IMG]"),
}
_MERGED: _Settings = {
    "spatial_merge_size": 2,
    "mm_projector_id": "patch_merge",
    "add_pre_mm_projector_layer_norm": True,
}
_SOUND = {"sampling_rate": _RATE_HZ, "frame_rate": _FRAMES_PER_S, "chunk_length_s": _CHUNK_S}
_WHISPER: _Settings = {
    "encoder_args": {
        "audio_encoding_args": _SPECTROGRAM | _SOUND,
        "dim": 64,
        "n_layers": 1,
        "head_dim": 32,
        "hidden_dim": 64,
        "n_heads": 2,
        "vocab_size": 100,
        "max_source_positions": 100,  # one for two steps of the spectrogram of a chunk
    },
    "downsample_args": {"downsample_factor": 4},
}
# What vLLM finds out by itself where there are weights.
_FLAGS = [
    flag
    for kind in ("config-format", "load-format", "tokenizer-mode")
    for flag in (f"--{kind}", "mistral")
]


def _writer(
    version: str, params: _Settings, media: _Settings
) -> Callable[[Path, dict[str, int]], None]:
    def write(directory: Path, _: dict[str, int]) -> None:
        text = {
            "dim": 64,
            "n_layers": 1,
            "head_dim": 32,
            "hidden_dim": 64,
            "n_heads": 2,
            "n_kv_heads": 2,
            "norm_eps": 1e-5,
            "rope_theta": 1e6,
            "vocab_size": vocabulary_size(),
            "max_position_embeddings": 8192,
        }
        (directory / "params.json").write_text(json.dumps(text | params), encoding="utf-8")
        write_tekken(directory, version, media)

    return write


def _checkpoint(
    name: str, version: str, params: _Settings, media: _Settings, *kinds: Modality
) -> Checkpoint:
    write = _writer(version, params, media)
    return Checkpoint(name, None, None, write, frozenset(kinds), flags=_FLAGS)


def _small(name: str, version: str) -> Checkpoint:
    image = {"image_patch_size": _PATCH, "max_image_size": _SIDE, "spatial_merge_size": 2}
    # Newer files have another name for it.
    media = {"image" if version == "v13" else "multimodal": image}
    return _checkpoint(name, version, {"vision_encoder": _VISION | _MERGED}, media, IMAGE)


def _voxtral(version: str) -> Checkpoint:
    params = {"multimodal": {"whisper_model_args": _WHISPER}}
    media = {"audio": _SOUND | {"audio_encoding_config": _SPECTROGRAM}}
    return _checkpoint(f"voxtral-{version}", version, params, media, AUDIO)


CHECKPOINTS = {
    one.name: one
    for one in (
        _checkpoint(
            "pixtral-v3",
            "v3",
            {"vision_encoder": _VISION},
            {"multimodal": {"image_patch_size": _PATCH, "max_image_size": _SIDE}},
            IMAGE,
        ),
        _small("mistral-small-v7", "v7"),
        _small("magistral-v13", "v13"),
        _voxtral("v7"),
        _voxtral("v11"),
        _checkpoint("mistral-text-v13", "v13", {}, {}),
    )
}
