"""What a model would take, from its config and the headers of its files alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from service.config import prepare_engine_environment

# The published sizes of Qwen2.5-7B-Instruct.
QWEN_7B = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "max_position_embeddings": 32768,
    "vocab_size": 152064,
    "torch_dtype": "bfloat16",
}
PER_TOKEN = 28 * 2 * 4 * 128 * 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(QWEN_7B))
    return tmp_path


def plan(folder: Path, *flags: str) -> Any:
    prepare_engine_environment("info")
    from service.engine.engine_args import parse_engine_args
    from service.engine.memory_plan import plan_memory

    args = parse_engine_args(str(folder), ("--skip-tokenizer-init", *flags))
    return plan_memory(args)


def test_a_token_takes_keys_and_values_of_every_layer(folder: Path) -> None:
    made = plan(folder)
    assert made.kv_cache_bytes_per_token == PER_TOKEN
    assert made.max_model_tokens == 32_768
    assert (made.dtype, made.quantization) == ("bfloat16", "")
    assert made.weights_bytes == 0


def test_flags_count_as_for_the_server(folder: Path) -> None:
    made = plan(
        folder,
        *("--max-model-len", "4096"),
        *("--gpu-memory-utilization", "0.25"),
        *("--dtype", "float32"),
    )
    assert made.max_model_tokens == 4096
    assert made.memory_share == 0.25
    assert made.kv_cache_bytes_per_token == 2 * PER_TOKEN


def test_weights_count_as_they_are_loaded(folder: Path) -> None:
    """What lies in 32 bits is cast to the model's 16."""
    tensors = {
        "model.embed_tokens.weight": torch.zeros(100),
        "visual.patch.weight": torch.zeros(10, dtype=torch.bfloat16),
    }
    save_file(tensors, folder / "model.safetensors")
    assert plan(folder).weights_bytes == 200 + 20
    assert plan(folder, "--dtype", "float32").weights_bytes == 400 + 20
    assert plan(folder).encoder_weights_bytes == 20


def test_what_vllm_does_not_know_is_told_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_engine_environment("info")
    from service.engine.memory_plan import main

    (folder / "config.json").write_text(json.dumps({"model_type": "odd"}))
    assert main([str(folder)]) == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert "odd" in told
    assert main([str(folder), "--no-such-flag"]) == 1
    assert "--no-such-flag" in capsys.readouterr().err
