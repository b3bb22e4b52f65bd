"""What `triptych doctor` says of a model's memory: of a running server, or before one starts.

A server is asked by `GetModel`. A checkpoint that is not loaded is looked at by a child process,
which imports vLLM (service/engine/memory_plan.py) and so knows the model's shapes and the flags as
the server would. Tested by tests/unit/cli/test_doctor_memory.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from service.cli.doctor_checks import Check
from service.cli.memory_advice import MemorySplit, in_words, memory_checks
from service.config import media_worker_environment, prepare_engine_environment, resolve_model

if TYPE_CHECKING:
    import argparse

    import grpc

# vLLM's flags that change what a model takes of the memory, or that a checkpoint needs to be read.
_VALUE_FLAGS = (
    "--dtype",
    "--gpu-memory-utilization",
    "--kv-cache-dtype",
    "--max-model-len",
    "--pipeline-parallel-size",
    "--quantization",
    "--tensor-parallel-size",
)
_TRUST = "--trust-remote-code"
_PLAN_TIMEOUT_S = 600


def add_memory_flags(parser: argparse.ArgumentParser) -> None:
    """Add what to look at, and vLLM's flags that matter for memory."""
    group = parser.add_argument_group(
        "memory", "say how a model's memory is split and what would help, and nothing else"
    )
    whose = group.add_mutually_exclusive_group()
    whose.add_argument("--target", metavar="HOST:PORT", help="of the model that this server serves")
    whose.add_argument("--model", help="of this checkpoint on this machine; nothing is loaded")
    for flag in _VALUE_FLAGS:
        group.add_argument(flag, metavar="VALUE", help="with --model: as for `triptych serve`")
    group.add_argument(_TRUST, action="store_true", help="with --model: as for `triptych serve`")


def engine_flags_of(args: argparse.Namespace) -> list[str]:
    """Return those of vLLM's flags that were given."""
    given = [
        (flag, value)
        for flag in _VALUE_FLAGS
        if (value := getattr(args, flag.removeprefix("--").replace("-", "_"))) is not None
    ]
    return [word for pair in given for word in pair] + [_TRUST] * args.trust_remote_code


def checks_of_server(channel: grpc.Channel) -> list[Check]:
    """Ask a server of its model; raises grpc.RpcError."""
    # Imported late: `triptych doctor` must run where gRPC is missing, to say so.
    from triptych.v1 import model_service_pb2, model_service_pb2_grpc

    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    model = stub.GetModel(model_service_pb2.GetModelRequest()).model
    found = Check("model", is_ok=True, found=f"{model.name} ({model.architecture})")
    if not model.HasField("memory"):
        cure = "use a newer server"
        return [found, Check("memory", False, "the server does not tell", cure, is_required=False)]
    memory = model.memory
    split = MemorySplit(
        weights_bytes=memory.weights_bytes,
        encoder_weights_bytes=memory.encoder_weights_bytes,
        kv_cache_bytes=memory.kv_cache_bytes,
        kv_cache_bytes_per_token=memory.kv_cache_bytes_per_token,
        max_model_tokens=model.max_model_tokens,
        tensor_parallel_size=max(1, memory.tensor_parallel_size),
        pipeline_parallel_size=max(1, memory.pipeline_parallel_size),
        dtype=model.dtype,
        quantization=model.quantization,
    )
    return [found, *memory_checks(split)]


def checks_of_checkpoint(model: str, engine_flags: list[str]) -> list[Check]:
    """Look at a checkpoint, its shapes and this machine; raises StartupError for a wrong path."""
    directory, name = resolve_model(model)
    plan, problem = _plan(directory, engine_flags)
    if problem:
        cure = "correct the path or the flags; a server would not start with them either"
        return [Check("model", is_ok=False, found=f"{name}: {problem}", cure=cure)]
    needed = plan["tensor_parallel_size"] * plan["pipeline_parallel_size"]
    devices = plan["device_bytes"]
    checks = [Check("model", is_ok=True, found=name), _devices(plan, needed)]
    if plan["has_gpus"] and needed > len(devices):
        return checks
    split = MemorySplit(
        weights_bytes=plan["weights_bytes"],
        encoder_weights_bytes=plan["encoder_weights_bytes"],
        kv_cache_bytes=_kv_cache_bytes(plan, needed),
        kv_cache_bytes_per_token=plan["kv_cache_bytes_per_token"],
        max_model_tokens=plan["max_model_tokens"],
        tensor_parallel_size=plan["tensor_parallel_size"],
        pipeline_parallel_size=plan["pipeline_parallel_size"],
        dtype=plan["dtype"],
        quantization=plan["quantization"],
    )
    may_spread = plan["has_gpus"] and len(devices) >= 2 * needed
    return [*checks, *memory_checks(split, may_spread=may_spread)]


def _devices(plan: dict[str, Any], needed: int) -> Check:
    devices = plan["device_bytes"]
    if not plan["has_gpus"]:
        return Check("device", is_ok=True, found=f"this machine's memory, {in_words(devices[0])}")
    sizes = ", ".join(map(in_words, devices))
    return Check(
        "device",
        is_ok=needed <= len(devices),
        found=f"{len(devices)} GPUs of {sizes}; {needed} needed",
        cure="lower --tensor-parallel-size or --pipeline-parallel-size",
    )


def _kv_cache_bytes(plan: dict[str, Any], needed: int) -> int:
    """Return what is left at most: activations, graphs and the process itself take some of it."""
    given: int | None = plan["kv_cache_bytes"]
    if given is not None:
        return given * needed
    # The smallest device decides for all; a machine without GPUs has one memory for all ranks.
    smallest, ranks = min(plan["device_bytes"]), needed if plan["has_gpus"] else 1
    return int(smallest * plan["memory_share"]) * ranks - int(plan["weights_bytes"])


def _plan(directory: str, engine_flags: list[str]) -> tuple[dict[str, Any], str]:
    """Return the plan, or else why there is none."""
    prepare_engine_environment("error")
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "service.engine.memory_plan", directory, *engine_flags],
            env=media_worker_environment(),
            capture_output=True,
            text=True,
            timeout=_PLAN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}, f"vLLM has not read it within {_PLAN_TIMEOUT_S} s"
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    if done.returncode != 0 or not lines:
        return {}, lines[-1] if lines else f"exit code {done.returncode}"
    plan: dict[str, Any] = json.loads(lines[-1])
    return plan, ""
