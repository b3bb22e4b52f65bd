"""Tells what a model would take of this machine's memory, loading nothing of it.

    python -m service.engine.memory_plan MODEL [vLLM's flags]

For `triptych doctor --model`, which runs it as a child process, for it imports vLLM. The last line
on stdout is a JSON object, the fields of `MemoryPlan`; where vLLM does not know what to make of the
checkpoint or of the flags, the last line on stderr says why, and the exit code is 1.
Tested by tests/unit/engine/test_memory_plan.py.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from vllm.config import ModelConfig, VllmConfig
from vllm.engine.arg_utils import AsyncEngineArgs

from service.engine.engine_args import parse_engine_args
from service.engine.model_description import find_directory
from service.engine.model_memory import kv_cache_bytes_per_token
from service.engine.weight_files import measure_weights
from service.errors import StartupError


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What is needed, in bytes, and what is there.

    `weights_bytes` are the weights as they are loaded. `device_bytes` has each device's memory: the
    GPUs that the process sees, or this machine's. vLLM takes `memory_share` of each; where
    `kv_cache_bytes` is given, that much for the KV cache on each and no share.
    """

    weights_bytes: int
    encoder_weights_bytes: int
    kv_cache_bytes_per_token: int
    max_model_tokens: int
    dtype: str
    quantization: str
    tensor_parallel_size: int
    pipeline_parallel_size: int
    memory_share: float
    kv_cache_bytes: int | None
    has_gpus: bool
    device_bytes: list[int]


def plan_memory(args: AsyncEngineArgs) -> MemoryPlan:
    """Make the plan of an engine with these arguments; raises what vLLM raises for them."""
    config: VllmConfig = args.create_engine_config()
    model, cache, parallel = config.model_config, config.cache_config, config.parallel_config
    directory = Path(find_directory(model.model, model.revision))
    weights = measure_weights(directory, float32_bytes=_float32_bytes(model))
    has_gpus = torch.cuda.is_available()
    return MemoryPlan(
        weights_bytes=weights.total,
        encoder_weights_bytes=weights.encoders,
        kv_cache_bytes_per_token=kv_cache_bytes_per_token(config),
        max_model_tokens=model.max_model_len,
        dtype=str(model.dtype).removeprefix("torch."),
        quantization=str(model.quantization or ""),
        tensor_parallel_size=parallel.tensor_parallel_size,
        pipeline_parallel_size=parallel.pipeline_parallel_size,
        memory_share=cache.gpu_memory_utilization,
        kv_cache_bytes=cache.kv_cache_memory_bytes,
        has_gpus=has_gpus,
        device_bytes=_gpu_bytes() if has_gpus else [_machine_bytes()],
    )


def _float32_bytes(model: ModelConfig) -> int:
    """What is not quantized is cast; of a quantized checkpoint, scales stay what they are."""
    if isinstance(model.dtype, torch.dtype) and not model.quantization:
        return model.dtype.itemsize
    return 4


def _gpu_bytes() -> list[int]:
    count = torch.cuda.device_count()
    return [torch.cuda.get_device_properties(index).total_memory for index in range(count)]


def _machine_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _reason_of(error: Exception) -> str:
    """Return an error in one line; pydantic's, which vLLM's configuration raises, has several."""
    told = getattr(error, "errors", None)
    text = str(told()[0]["msg"]) if callable(told) else str(error)
    return " ".join(text.removeprefix("Value error, ").split())


def main(arguments: list[str]) -> int:
    """Print the plan, or why there is none."""
    try:
        plan = plan_memory(parse_engine_args(arguments[0], arguments[1:]))
    except StartupError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 - it is asked by a command
        return 1
    except Exception as error:  # noqa: BLE001 - whatever vLLM raises for a model that it cannot take
        print(_reason_of(error), file=sys.stderr)  # noqa: T201 - the same
        return 1
    print(json.dumps(asdict(plan)))  # noqa: T201 - the same
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
