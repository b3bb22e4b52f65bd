"""What is said of a model's memory, in numbers of real models."""

from __future__ import annotations

import dataclasses

import pytest

from service.cli.doctor_checks import Check
from service.cli.memory_advice import MemorySplit, in_words, memory_checks

GIB = 1 << 30
# Qwen2.5-7B: 7,615,616,512 weights of 2 bytes; 28 layers, each with keys and values of 4 heads of
# 128 numbers. What a GPU of 24 GiB leaves of the usual share, 92 %.
QWEN_7B = MemorySplit(
    weights_bytes=15_231_233_024,
    encoder_weights_bytes=0,
    kv_cache_bytes=24 * GIB * 92 // 100 - 15_231_233_024,
    kv_cache_bytes_per_token=28 * 2 * 4 * 128 * 2,
    max_model_tokens=32_768,
    tensor_parallel_size=1,
    pipeline_parallel_size=1,
    dtype="bfloat16",
    quantization="",
)
FULL_BYTES = 28 * 2 * 4 * 128 * 2 * 32_768  # 1.75 GiB


def found(split: MemorySplit, *, may_spread: bool = True) -> dict[str, Check]:
    return {check.name: check for check in memory_checks(split, may_spread=may_spread)}


def test_the_split_is_told_in_plain_words() -> None:
    checks = found(QWEN_7B)
    assert checks["weights"].found == "14.2 GiB in bfloat16, not quantized"
    assert checks["KV cache"].found == (
        "7.9 GiB, 147,826 tokens of 56.0 KiB: 4.5 requests of full length (32,768 tokens)"
    )
    assert all(check.is_ok for check in checks.values())


def test_the_encoders_share_is_told() -> None:
    split = dataclasses.replace(QWEN_7B, encoder_weights_bytes=QWEN_7B.weights_bytes // 10)
    assert found(split)["weights"].found.endswith(
        "; 1.4 GiB of them (10%) read images, sounds and videos"
    )


def test_quantization_frees_half_or_three_quarters_of_the_decoder() -> None:
    """7.1 or 10.6 GiB more for the KV cache, each 1.75 GiB of it a request."""
    assert found(QWEN_7B)["quantization"].found == (
        "8 bits a weight (such as --quantization fp8, on GPUs) would free up to 7.1 GiB: "
        "8.6 requests; 4 bits (a checkpoint in AWQ or GPTQ) up to 10.6 GiB: 10.6 requests"
    )
    encoders = dataclasses.replace(QWEN_7B, encoder_weights_bytes=QWEN_7B.weights_bytes // 2)
    assert "would free up to 3.5 GiB: 6.5 requests" in found(encoders)["quantization"].found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantization": "awq"}, "is there already: awq"),
        ({"dtype": "float32"}, "nothing is known for weights in float32"),
    ],
)
def test_quantization_that_is_there_or_unknown_frees_nothing(
    changes: dict[str, str], words: str
) -> None:
    assert found(dataclasses.replace(QWEN_7B, **changes))["quantization"].found == words


def test_twice_the_devices_hold_the_weights_once() -> None:
    """Of 44.2 GiB, 14.2 go to the weights; the best advice comes first."""
    checks = found(QWEN_7B)
    assert checks["tensor parallelism"].found == (
        "twice the devices (--tensor-parallel-size 2) would leave up to 30.0 GiB "
        "for the KV cache: 17.1 requests"
    )
    assert list(checks) == [
        *("weights", "KV cache"),
        *("tensor parallelism", "quantization", "max_model_len"),
    ]


def test_quantization_comes_first_where_there_are_no_more_devices() -> None:
    checks = found(QWEN_7B, may_spread=False)
    assert list(checks) == ["weights", "KV cache", "quantization", "max_model_len"]


def test_a_shorter_context_lets_more_requests_in() -> None:
    assert found(QWEN_7B)["max_model_len"].found == (
        "--max-model-len 16384 frees nothing, but 9.0 requests of that length fit"
    )


def test_a_context_that_does_not_fit_is_an_error_and_the_longest_that_fits_is_told() -> None:
    split = dataclasses.replace(QWEN_7B, kv_cache_bytes=FULL_BYTES // 2)
    checks = found(split)
    assert not checks["KV cache"].is_ok
    assert checks["KV cache"].is_required
    assert checks["KV cache"].found.endswith("0.5 requests of full length (32,768 tokens)")
    assert checks["max_model_len"].found == "--max-model-len 16384 is the longest that fits"


def test_weights_that_do_not_fit_leave_no_cache() -> None:
    """On a GPU of 12 GiB: 8 bits leave a little room, 4 bits more."""
    left = 12 * GIB * 92 // 100 - QWEN_7B.weights_bytes
    checks = found(dataclasses.replace(QWEN_7B, kv_cache_bytes=left))
    assert not checks["KV cache"].is_ok
    assert checks["KV cache"].found == (
        "no room for it, at 56.0 KiB a token: the weights alone take 3.1 GiB too much"
    )
    assert "7.1 GiB: 2.3 requests" in checks["quantization"].found
    assert checks["max_model_len"].found == "a shorter context does not help: nothing is left"


def test_what_is_not_known_is_told() -> None:
    """A checkpoint in another format, and a model without a KV cache."""
    weights = found(dataclasses.replace(QWEN_7B, weights_bytes=0))
    assert not weights["weights"].is_ok
    assert not weights["weights"].is_required
    assert weights["quantization"].found == "nothing is known for weights in bfloat16"
    nothing = found(dataclasses.replace(QWEN_7B, kv_cache_bytes_per_token=0))
    assert list(nothing) == ["weights", "KV cache"]
    assert not nothing["KV cache"].is_ok
    assert not nothing["KV cache"].is_required


def test_several_devices_are_told() -> None:
    split = dataclasses.replace(QWEN_7B, tensor_parallel_size=2, pipeline_parallel_size=2)
    assert found(split)["weights"].found.endswith("; over 4 devices")
    assert "(--tensor-parallel-size 4)" in found(split)["tensor parallelism"].found


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 41, "6.0 TiB")],
)
def test_sizes_are_told_in_their_unit(size_bytes: int, words: str) -> None:
    assert in_words(size_bytes) == words
