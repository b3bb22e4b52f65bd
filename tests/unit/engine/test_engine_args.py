"""vLLM's own flags pass through, and on a CPU none is needed."""

from __future__ import annotations

import pytest
from vllm.platforms import current_platform

from service.engine.engine_args import engine_flags_help, parse_engine_args
from service.errors import StartupError

MODEL = "demo/model"


@pytest.fixture(params=[True, False], ids=["cpu", "gpu"])
def is_cpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(type(current_platform), "is_cpu", lambda _: request.param)
    return bool(request.param)


def test_flags_of_vllm_have_their_own_names_and_forms() -> None:
    args = parse_engine_args(
        MODEL,
        [
            *("--max-model-len", "2048", "--tensor_parallel_size=2", "--trust-remote-code"),
            *("--quantization", "fp8", "--limit-mm-per-prompt", '{"image": 2, "video": 1}'),
        ],
    )

    assert (args.model, args.max_model_len, args.tensor_parallel_size) == (MODEL, 2048, 2)
    assert args.trust_remote_code
    assert args.quantization == "fp8"
    assert args.limit_mm_per_prompt == {"image": 2, "video": 1}


def test_a_cpu_has_defaults_that_work_and_a_gpu_has_those_of_vllm(is_cpu: bool) -> None:
    args = parse_engine_args(MODEL, [])

    assert args.enforce_eager is is_cpu
    assert args.dtype == ("bfloat16" if is_cpu else "auto")
    assert (args.gpu_memory_utilization == pytest.approx(0.3)) is is_cpu


@pytest.mark.parametrize("is_cpu", [True], indirect=True)
@pytest.mark.parametrize("flag", ["--gpu-memory-utilization", "--gpu_memory_utilization"])
def test_a_given_flag_wins_over_a_default(is_cpu: bool, flag: str) -> None:
    args = parse_engine_args(MODEL, [f"{flag}=0.5", "--no-enforce-eager", "--dtype", "float32"])

    assert args.gpu_memory_utilization == pytest.approx(0.5)
    assert not args.enforce_eager
    assert args.dtype == "float32"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--max-modle-len", "4"], "--max-modle-len"),
        (["--max-model-len", "many"], "--max-model-len"),
        (["--max-model-len"], "--max-model-len"),
        (["--enforce-eager", "stray"], "stray"),
    ],
)
def test_a_wrong_flag_is_named_with_where_to_look(flags: list[str], named: str) -> None:
    with pytest.raises(StartupError, match="triptych engine-flags") as refusal:
        parse_engine_args(MODEL, flags)

    assert named in refusal.value.message


def test_the_help_lists_the_flags_of_vllm() -> None:
    text = engine_flags_help()

    assert "--max-model-len" in text
    assert "--limit-mm-per-prompt" in text
