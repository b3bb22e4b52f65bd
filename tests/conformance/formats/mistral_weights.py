"""Random weights in Mistral's own format, `consolidated.safetensors`, for a params.json.

The names are those of the checkpoints, by vLLM's `load_weights` of pixtral.py, voxtral.py and
mistral.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Shapes = Iterator[tuple[str, tuple[int, ...]]]


def write_consolidated(directory: Path) -> None:
    """Write the weights of the params.json that is there: the same ones every time."""
    import torch
    from safetensors.torch import save_file

    params = json.loads((directory / "params.json").read_text(encoding="utf-8"))
    random = torch.Generator().manual_seed(0)
    weights = {
        name: torch.normal(0.0, 0.05, shape, generator=random).to(torch.bfloat16)
        for name, shape in _shapes(params)
    }
    save_file(weights, directory / "consolidated.safetensors", metadata={"format": "pt"})


def _shapes(params: dict[str, Any]) -> Shapes:
    width = params["dim"]
    sounds = params.get("multimodal", {}).get("whisper_model_args")
    words = "mm_whisper_embeddings." if sounds else ""
    yield f"{words}tok_embeddings.weight", (params["vocab_size"], width)
    yield "norm.weight", (width,)
    yield "output.weight", (params["vocab_size"], width)
    heads = params["n_heads"] * params["head_dim"], params["n_kv_heads"] * params["head_dim"]
    for layer in range(params["n_layers"]):
        yield from _layer(f"layers.{layer}", width, params["hidden_dim"], *heads)
    if "vision_encoder" in params:
        yield from _vision(params["vision_encoder"], width)
    if sounds:
        yield from _whisper(**sounds, width=width)


def _layer(name: str, width: int, hidden: int, queries: int, keys: int) -> Shapes:
    yield f"{name}.attention.wq.weight", (queries, width)
    yield f"{name}.attention.wk.weight", (keys, width)
    yield f"{name}.attention.wv.weight", (keys, width)
    yield f"{name}.attention.wo.weight", (width, queries)
    yield f"{name}.attention_norm.weight", (width,)
    yield f"{name}.ffn_norm.weight", (width,)
    yield f"{name}.feed_forward.w1.weight", (hidden, width)
    yield f"{name}.feed_forward.w2.weight", (width, hidden)
    yield f"{name}.feed_forward.w3.weight", (hidden, width)


def _vision(args: dict[str, Any], width: int) -> Shapes:
    own, patch = args["hidden_size"], args["patch_size"]
    yield "vision_encoder.patch_conv.weight", (own, args["num_channels"], patch, patch)
    yield "vision_encoder.ln_pre.weight", (own,)
    for layer in range(args["num_hidden_layers"]):
        name = f"vision_encoder.transformer.layers.{layer}"
        yield from _layer(name, own, args["intermediate_size"], own, own)
    for projection, inputs in (("w_in", own), ("w_out", width)):
        yield f"vision_language_adapter.{projection}.weight", (width, inputs)
        yield f"vision_language_adapter.{projection}.bias", (width,)
    if args.get("mm_projector_id") == "patch_merge":
        yield "patch_merger.merging_layer.weight", (own, own * args["spatial_merge_size"] ** 2)
        yield "pre_mm_projector_norm.weight", (own,)


def _whisper(encoder_args: dict[str, Any], downsample_args: dict[str, Any], width: int) -> Shapes:
    own, hidden = encoder_args["dim"], encoder_args["hidden_dim"]
    encoder = "mm_whisper_embeddings.whisper_encoder"
    mels = encoder_args["audio_encoding_args"]["num_mel_bins"]
    for layer, inputs in enumerate((mels, own)):
        yield f"{encoder}.conv_layers.{layer}.weight", (own, inputs, 3)
        yield f"{encoder}.conv_layers.{layer}.bias", (own,)
    for layer in range(encoder_args["n_layers"]):
        name = f"{encoder}.transformer.layers.{layer}"
        yield from _with_biases(f"{name}.attention", own, own, "wq", "wv", "wo")
        yield f"{name}.attention.wk.weight", (own, own)  # Whisper's keys have no bias
        yield from _with_biases(f"{name}.feed_forward", own, hidden, "w1")
        yield from _with_biases(f"{name}.feed_forward", hidden, own, "w2")
        yield from _norm(f"{name}.attention_norm", own)
        yield from _norm(f"{name}.ffn_norm", own)
    yield from _norm(f"{encoder}.transformer.norm", own)
    joined = own * downsample_args["downsample_factor"]
    for layer, inputs in ((0, joined), (2, width)):
        name = f"mm_whisper_embeddings.audio_language_projection.{layer}"
        yield f"{name}.weight", (width, inputs)


def _with_biases(name: str, inputs: int, outputs: int, *projections: str) -> Shapes:
    for projection in projections:
        yield f"{name}.{projection}.weight", (outputs, inputs)
        yield f"{name}.{projection}.bias", (outputs,)


def _norm(name: str, width: int) -> Shapes:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)
