"""Random weights for the few checkpoints that an engine loads: the same ones every time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# Real checkpoints, and so vLLM 0.32, have other names than transformers 5.19 saves: a CLIP or
# SigLIP is `vision_tower.vision_model…`, Qwen2-Audio's text model `language_model.model.layers…`.
_TOWER = re.compile(r"^vision_tower\.(?!vision_model\.)")
_TEXT = re.compile(r"^language_model\.model\.model\.")
_WRAPPED_TOWERS = ("clip_vision_model", "siglip_vision_model")


def write_weights(directory: Path) -> None:
    """Write model.safetensors for the config.json that is there."""
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMultimodalLM

    config = AutoConfig.from_pretrained(directory, local_files_only=True)
    torch.manual_seed(0)
    takes_media = type(config) in AutoModelForMultimodalLM._model_mapping
    of_kind: Any = AutoModelForMultimodalLM if takes_media else AutoModelForCausalLM
    model = of_kind.from_config(config, dtype=torch.bfloat16)
    saved = directory / "saved"
    model.save_pretrained(saved)
    weights = load_file(saved / "model.safetensors")
    vision = getattr(config, "vision_config", None)
    is_wrapped = getattr(vision, "model_type", "") in _WRAPPED_TOWERS
    renamed = {_rename(name, is_wrapped): one for name, one in weights.items()}
    save_file(renamed, directory / "model.safetensors", metadata={"format": "pt"})


def _rename(name: str, is_wrapped: bool) -> str:
    name = _TEXT.sub("language_model.model.", name)
    return _TOWER.sub("vision_tower.vision_model.", name) if is_wrapped else name
