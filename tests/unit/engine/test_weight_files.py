"""The size of a checkpoint's weights, from the headers of their files."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from service.engine.weight_files import measure_weights


def test_tensors_are_added_up_over_all_files(tmp_path: Path) -> None:
    save_file({"model.layers.0.weight": torch.zeros(10, 3)}, tmp_path / "model-1.safetensors")
    others = {
        "visual.blocks.0.weight": torch.zeros(5, dtype=torch.bfloat16),
        "audio_tower.conv.weight": torch.zeros(4),
        "lm_head.weight": torch.zeros(2, dtype=torch.int8),
    }
    save_file(others, tmp_path / "model-2.safetensors", metadata={"format": "pt"})
    assert measure_weights(tmp_path) == (120 + 10 + 16 + 2, 10 + 16)


def test_what_is_there_in_two_formats_counts_once(tmp_path: Path) -> None:
    """Checkpoints of Mistral's have the same tensors in its own format too, which is loaded."""
    save_file({"lm_head.weight": torch.zeros(2)}, tmp_path / "model-00001-of-00001.safetensors")
    for part in ("consolidated-1", "consolidated-2"):
        save_file({"output.weight": torch.zeros(1)}, tmp_path / f"{part}.safetensors")

    assert measure_weights(tmp_path) == (8, 0)


def test_what_is_no_such_file_counts_nothing(tmp_path: Path) -> None:
    assert measure_weights(tmp_path) == (0, 0)
    (tmp_path / "model.safetensors").write_bytes(b"short")
    (tmp_path / "other.safetensors").write_bytes(b"\xff" * 100)
    (tmp_path / "model.bin").write_bytes(b"pickled")
    assert measure_weights(tmp_path) == (0, 0)
