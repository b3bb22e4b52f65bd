"""`triptych doctor --target` and `--model`: how a model's memory is split."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from service.cli import doctor_memory
from service.cli.exit_codes import ExitCode
from service.config import resolve_model
from tests.unit.cli.command_line import run
from triptych.v1 import model_service_pb2 as pb
from triptych.v1 import model_service_pb2_grpc as pb_grpc

Capture = pytest.CaptureFixture[str]
GIB = 1 << 30
# Qwen2-VL-2B: 28 layers, keys and values of 2 heads of 128 numbers of 2 bytes.
PER_TOKEN = 28 * 2 * 2 * 128 * 2
PLAN = {
    "weights_bytes": 4_417_971_200,
    "encoder_weights_bytes": 1_330_000_000,
    "kv_cache_bytes_per_token": PER_TOKEN,
    "max_model_tokens": 32_768,
    "dtype": "bfloat16",
    "quantization": "",
    "tensor_parallel_size": 1,
    "pipeline_parallel_size": 1,
    "memory_share": 0.5,
    "kv_cache_bytes": None,
    "has_gpus": True,
    "device_bytes": [24 * GIB, 24 * GIB],
}


class ModelServer(pb_grpc.ModelServiceServicer):
    """Describes `model`."""

    def __init__(self) -> None:
        self.target = ""
        self.model = pb.Model(
            name="small",
            architecture="Qwen2VLForConditionalGeneration",
            max_model_tokens=32_768,
            dtype="bfloat16",
            memory=pb.ModelMemory(
                weights_bytes=PLAN["weights_bytes"],
                encoder_weights_bytes=PLAN["encoder_weights_bytes"],
                kv_cache_bytes=200_000 * PER_TOKEN,
                kv_cache_bytes_per_token=PER_TOKEN,
                tensor_parallel_size=1,
                pipeline_parallel_size=1,
            ),
        )

    def GetModel(self, request: pb.GetModelRequest, context: Any) -> pb.GetModelResponse:  # noqa: N802  # gRPC's name
        return pb.GetModelResponse(model=self.model)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    servicer = ModelServer()
    server = grpc.server(ThreadPoolExecutor(1))
    pb_grpc.add_ModelServiceServicer_to_server(servicer, server)
    servicer.target = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    yield servicer
    server.stop(None)


def checks_of(capsys: Capture) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def plan_is(monkeypatch: pytest.MonkeyPatch, problem: str = "", **changes: object) -> None:
    """Let the child process find this."""
    plan = {} if problem else PLAN | changes
    monkeypatch.setattr(doctor_memory, "_plan", lambda *_: (plan, problem))


def test_a_running_server_tells_how_its_memory_is_split(
    server: ModelServer, capsys: Capture
) -> None:
    assert run("doctor", "--target", server.target) == ExitCode.OK
    assert capsys.readouterr().out == (
        "✓ model: small (Qwen2VLForConditionalGeneration)\n"
        "✓ weights: 4.1 GiB in bfloat16, not quantized; 1.2 GiB of them (30%) read images, sounds "
        "and videos\n"
        "✓ KV cache: 5.3 GiB, 200,000 tokens of 28.0 KiB: 6.1 requests of full length "
        "(32,768 tokens)\n"
        "→ tensor parallelism: twice the devices (--tensor-parallel-size 2) would leave up to "
        "14.8 GiB for the KV cache: 16.9 requests\n"
        "→ quantization: 8 bits a weight (such as --quantization fp8, on GPUs) would free up to "
        "1.4 GiB: 7.7 requests; 4 bits (a checkpoint in AWQ or GPTQ) up to 2.2 GiB: 8.6 requests\n"
        "→ max_model_len: --max-model-len 16384 frees nothing, but 12.2 requests of that length "
        "fit\n"
        "it fits\n"
    )


def test_a_server_that_does_not_tell_is_no_failure(server: ModelServer, capsys: Capture) -> None:
    server.model.ClearField("memory")
    assert run("doctor", "--target", server.target, "--json") == ExitCode.OK
    assert checks_of(capsys)["memory"]["found"] == "the server does not tell"


def test_no_server_is_an_exit_code_of_its_own(capsys: Capture) -> None:
    assert run("doctor", "--target", "localhost:1") == ExitCode.UNREACHABLE
    assert "no server answers at localhost:1" in capsys.readouterr().err


def test_what_is_left_of_a_gpu_is_the_kv_cache(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Half of 24 GiB, less 4.1 GiB of weights."""
    plan_is(monkeypatch)
    assert run("doctor", "--model", "someone/small", "--json") == ExitCode.OK
    checks = checks_of(capsys)
    assert checks["device"]["found"] == "2 GPUs of 24.0 GiB, 24.0 GiB; 1 needed"
    assert checks["KV cache"]["found"].startswith("7.9 GiB, ")
    assert "tensor parallelism" in checks


def test_two_gpus_hold_the_weights_once(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """And there is no third to spread over."""
    plan_is(monkeypatch, tensor_parallel_size=2)
    assert run("doctor", "--model", "someone/small", "--json") == ExitCode.OK
    checks = checks_of(capsys)
    assert checks["KV cache"]["found"].startswith("19.9 GiB, ")
    assert "tensor parallelism" not in checks


def test_more_gpus_than_there_are_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    plan_is(monkeypatch, tensor_parallel_size=4)
    assert run("doctor", "--model", "someone/small", "--json") == ExitCode.FAILED
    checks = checks_of(capsys)
    assert checks["device"]["found"].endswith("; 4 needed")
    assert not checks["device"]["is_ok"]
    assert list(checks) == ["model", "device"]


def test_a_given_size_of_the_cache_counts(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """As on machines without GPUs, where a server takes 1 GiB by default."""
    plan_is(monkeypatch, kv_cache_bytes=GIB, has_gpus=False, device_bytes=[32 * GIB])
    assert run("doctor", "--model", "someone/small", "--json") == ExitCode.OK
    checks = checks_of(capsys)
    assert checks["device"]["found"] == "this machine's memory, 32.0 GiB"
    assert checks["KV cache"]["found"].startswith("1.0 GiB, 37,449 tokens of 28.0 KiB")


def test_a_model_that_is_too_large_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    plan_is(monkeypatch, device_bytes=[8 * GIB])
    assert run("doctor", "--model", "someone/small") == ExitCode.FAILED
    told = capsys.readouterr().out
    assert "✗ KV cache: no room for it" in told
    assert told.endswith("it does not fit; see ✗\n")


def test_a_checkpoint_of_unknown_shapes_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    plan_is(monkeypatch, "the architecture Odd is not supported")
    assert run("doctor", "--model", "someone/odd") == ExitCode.FAILED
    assert (
        "✗ model: someone/odd: the architecture Odd is not supported → " in capsys.readouterr().out
    )


def test_a_path_without_a_model_is_an_error(capsys: Capture) -> None:
    assert run("doctor", "--model", "/no/such/folder") == ExitCode.FAILED
    assert "no model at /no/such/folder" in capsys.readouterr().err


def test_only_one_of_both_is_looked_at(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        run("doctor", "--model", "someone/small", "--target", "localhost:1")
    assert end.value.code == ExitCode.USAGE
    assert "not allowed with" in capsys.readouterr().err


def test_the_flags_go_to_vllm_by_their_names() -> None:
    parser = argparse.ArgumentParser()
    doctor_memory.add_memory_flags(parser)
    words = ["--max-model-len", "2048", "--quantization", "fp8", "--trust-remote-code"]
    assert doctor_memory.engine_flags_of(parser.parse_args(words)) == words
    assert doctor_memory.engine_flags_of(parser.parse_args([])) == []


def test_the_demo_model_is_looked_at_by_a_process_that_knows_vllm(capsys: Capture) -> None:
    """Really: 4 layers with keys and values of 2 heads of 32 numbers of 2 bytes are 1 KiB."""
    model, _ = resolve_model(None)
    assert run("doctor", "--model", model, "--max-model-len", "2048", "--json") == ExitCode.OK
    checks = checks_of(capsys)
    assert "not quantized" in checks["weights"]["found"]
    assert "tokens of 1.0 KiB" in checks["KV cache"]["found"]
    assert "(2,048 tokens)" in checks["KV cache"]["found"]


def test_a_checkpoint_that_takes_too_long_to_read_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def never(command: list[str], **options: object) -> None:
        raise subprocess.TimeoutExpired(command, 600)

    monkeypatch.setattr(subprocess, "run", never)
    assert run("doctor", "--model", "someone/small") == ExitCode.FAILED
    assert "vLLM has not read it within 600 s" in capsys.readouterr().out
