"""Random weights for the few checkpoints that an engine loads: the same ones every time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# Real checkpoints, and so vLLM 0.32, have other names than transformers 5.19 saves: LLaVA's CLIP
# `vision_tower.vision_model.embeddings…`, Qwen2-Audio's text model `language_model.model.layers…`.
_RENAMED = [
    (re.compile(r"^vision_tower\.(?!vision_model\.)"), "vision_tower.vision_model."),
    (re.compile(r"^language_model\.model\.model\."), "language_model.model."),
]


def write_weights(directory: Path) -> None:
    """Write model.safetensors for the config.json that is there."""
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import AutoConfig, AutoModelForMultimodalLM

    config = AutoConfig.from_pretrained(directory, local_files_only=True)
    torch.manual_seed(0)
    model: Any = AutoModelForMultimodalLM.from_config(config, dtype=torch.bfloat16)
    saved = directory / "saved"
    model.save_pretrained(saved)
    weights = load_file(saved / "model.safetensors")
    renamed = {_as_in_checkpoints(name): one for name, one in weights.items()}
    save_file(renamed, directory / "model.safetensors", metadata={"format": "pt"})


def _as_in_checkpoints(name: str) -> str:
    for saved, real in _RENAMED:
        name = saved.sub(real, name)
    return name
