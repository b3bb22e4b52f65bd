"""LoRA adapters of random weights, in the files that PEFT writes."""

from __future__ import annotations

import json
from pathlib import Path

_RANK = 4
_MODULES = ("q_proj", "v_proj", "o_proj", "down_proj")


def write_adapter(folder: Path, checkpoint: Path, seed: int) -> Path:
    """Write an adapter of the checkpoint's text layers; large enough to change every answer."""
    import torch
    from safetensors.torch import load_file, save_file

    chance = torch.Generator().manual_seed(seed)
    weights: dict[str, torch.Tensor] = {}
    for name, weight in load_file(checkpoint / "model.safetensors").items():
        module = name.removesuffix(".weight")
        if ".layers." not in name or not module.endswith(_MODULES):
            continue
        outputs, inputs = weight.shape
        peft_name = f"base_model.model.{module}"
        weights[f"{peft_name}.lora_A.weight"] = torch.randn(_RANK, inputs, generator=chance)
        weights[f"{peft_name}.lora_B.weight"] = torch.randn(outputs, _RANK, generator=chance)
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": _RANK,
        "lora_alpha": 2 * _RANK,
        "target_modules": list(_MODULES),
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder
