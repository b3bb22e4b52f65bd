"""Whisper tiny.en: from CTranslate2's form to a checkpoint as Hugging Face's transformers has it.

CTranslate2 keeps the projections of one attention in one matrix: queries, keys and values of a
self-attention; keys and values of the attention to the encoder. Keys have a bias there, which is 0.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tests.real.ctranslate2_file import read_variables

_SELF = ("self_attn", (("q_proj", "k_proj", "v_proj"), ("out_proj",)))
_CROSS = ("encoder_attn", (("q_proj",), ("k_proj", "v_proj"), ("out_proj",)))
# What a layer has in CTranslate2's file, and what that is called here.
_ATTENTIONS = {"encoder": {"self_attention": _SELF}}
_ATTENTIONS["decoder"] = {**_ATTENTIONS["encoder"], "attention": _CROSS}
# Half a minute at 16 kHz, in windows of 25 ms every 10 ms.
_FEATURES = {
    "feature_extractor_type": "WhisperFeatureExtractor",
    "processor_class": "WhisperProcessor",
    "sampling_rate": 16_000,
    "chunk_length": 30,
    "n_fft": 400,
    "hop_length": 160,
    "feature_size": 80,
}
_END_OF_TEXT, _START_OF_TRANSCRIPT = "<|endoftext|>", "<|startoftranscript|>"


def write_checkpoint(source: Path, folder: Path) -> None:
    """Write the checkpoint of the package's files in `source` into a folder."""
    variables = read_variables(source / "model.bin")
    weights = _weights(variables)
    tensors = {name: np.ascontiguousarray(value) for name, value in weights.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(source / "tokenizer.json", folder)
    added = json.loads((source / "tokenizer.json").read_text())["added_tokens"]
    ids = {token["content"]: token["id"] for token in added}
    end = ids[_END_OF_TEXT]
    special = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end}
    special["decoder_start_token_id"] = ids[_START_OF_TRANSCRIPT]
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    tokenizer = {"tokenizer_class": "WhisperTokenizer", **dict.fromkeys(names, _END_OF_TEXT)}
    files = {
        "config.json": {**_sizes(variables), **special},
        "generation_config.json": special,
        "preprocessor_config.json": _FEATURES,
        "tokenizer_config.json": tokenizer,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2))


def _sizes(variables: dict[str, NDArray]) -> dict[str, object]:
    """Tell the model's sizes by its matrices; both halves of a Whisper are alike."""
    vocabulary_size, width = variables["decoder/embeddings/weight"].shape
    layers = sum(name.endswith("/ffn/linear_0/weight") for name in variables) // 2
    inner = variables["decoder/layer_0/ffn/linear_0/bias"].size
    heads = int(variables["decoder/num_heads"])
    sizes = {"layers": layers, "attention_heads": heads, "ffn_dim": inner}
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "dtype": "float16",
        "vocab_size": vocabulary_size,
        "d_model": width,
        "num_mel_bins": variables["encoder/conv1/weight"].shape[1],
        "max_source_positions": variables["encoder/position_encodings/encodings"].shape[0],
        "max_target_positions": variables["decoder/position_encodings/encodings"].shape[0],
        **{f"{half}_{name}": size for half in _ATTENTIONS for name, size in sizes.items()},
    }


def _weights(variables: dict[str, NDArray]) -> dict[str, NDArray]:
    weights = {"model.decoder.embed_tokens.weight": variables["decoder/embeddings/weight"]}
    for half in ("encoder", "decoder"):
        positions = variables[f"{half}/position_encodings/encodings"]
        weights[f"model.{half}.embed_positions.weight"] = positions
        weights |= _norm(variables, f"{half}/layer_norm", f"model.{half}.layer_norm")
        layer = 0
        while f"{half}/layer_{layer}/ffn/linear_0/weight" in variables:
            weights |= _layer(variables, half, layer)
            layer += 1
    for name in ("conv1", "conv2"):
        weights |= _linear(variables, f"encoder/{name}", (f"model.encoder.{name}",))
    return weights


def _layer(variables: dict[str, NDArray], half: str, layer: int) -> dict[str, NDArray]:
    old, new = f"{half}/layer_{layer}", f"model.{half}.layers.{layer}"
    weights = _norm(variables, f"{old}/ffn/layer_norm", f"{new}.final_layer_norm")
    for index, name in enumerate(("fc1", "fc2")):
        weights |= _linear(variables, f"{old}/ffn/linear_{index}", (f"{new}.{name}",))
    for attention, (name, matrices) in _ATTENTIONS[half].items():
        norm = f"{new}.{name}_layer_norm"
        weights |= _norm(variables, f"{old}/{attention}/layer_norm", norm)
        for index, parts in enumerate(matrices):
            names = tuple(f"{new}.{name}.{part}" for part in parts)
            weights |= _linear(variables, f"{old}/{attention}/linear_{index}", names)
    return weights


def _linear(variables: dict[str, NDArray], old: str, names: tuple[str, ...]) -> dict[str, NDArray]:
    """Cut a matrix and its bias into as many equal parts as there are names."""
    weights = {}
    for kind in ("weight", "bias"):
        for name, part in zip(names, np.split(variables[f"{old}/{kind}"], len(names)), strict=True):
            if kind == "bias" and name.endswith("k_proj"):
                if part.any():
                    raise ValueError(f"{old} has a bias for its keys; Whisper has none")
            else:
                weights[f"{name}.{kind}"] = part
    return weights


def _norm(variables: dict[str, NDArray], old: str, new: str) -> dict[str, NDArray]:
    gamma, beta = variables[f"{old}/gamma"], variables[f"{old}/beta"]
    return {f"{new}.weight": gamma, f"{new}.bias": beta}
