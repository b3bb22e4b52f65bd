"""LoRA adapters for vLLM: read and checked before the model is loaded, loaded right after it.

vLLM itself reads an adapter when the first request names it, and a fault in it ends the engine.
So all are loaded once at start, and kept: an adapter that is thrown out would be read from its
folder again, in the middle of serving.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import get_args

from vllm.config.lora import LoRAConfig, MaxLoRARanks
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.lora.peft_helper import PEFTHelper
from vllm.lora.request import LoRARequest
from vllm.platforms import current_platform
from vllm.v1.engine.async_llm import AsyncLLM

from service.domain.model import Adapter
from service.errors import StartupError

_FLAG = "--lora-modules"


def enable_adapters(args: AsyncEngineArgs, adapters: Sequence[Adapter]) -> None:
    """Let the engine take adapters; raises StartupError for one that it will not take."""
    if not adapters:
        return
    for adapter in adapters:
        _check(adapter, args.max_lora_rank)
    args.enable_lora = True
    if current_platform.is_cpu():
        # In a batch of both, vLLM 0.32's kernels for CPUs (lora/ops/torch_ops) take the adapter of
        # the last slot for requests without one: its number is -1. So that slot stays empty.
        args.max_loras = max(args.max_loras, len(adapters) + 1)
    if args.max_cpu_loras is None:
        args.max_cpu_loras = max(args.max_loras, len(adapters))


def _check(adapter: Adapter, max_rank: MaxLoRARanks) -> None:
    try:
        peft = PEFTHelper.from_local_dir(str(adapter.directory), max_position_embeddings=None)
        rank = max([peft.r, *peft.rank_pattern.values()])
        if rank > max_rank:
            enough = next((one for one in get_args(MaxLoRARanks) if one >= rank), None)
            cure = f"start with --max-lora-rank {enough}" if enough else "vLLM takes none so high"
            raise StartupError(
                f"{_FLAG} {adapter.name}: its rank of {rank} is above {max_rank}; {cure}"
            )
        peft.validate_legal(LoRAConfig(max_lora_rank=max_rank))
    except (OSError, TypeError, ValueError) as exc:
        raise StartupError(f"{_FLAG} {adapter.name}: {exc}") from exc


def load_adapters(
    llm: AsyncLLM, adapters: Sequence[Adapter], loop: asyncio.AbstractEventLoop
) -> dict[str, LoRARequest]:
    """Load all and return what requests name them by; raises StartupError.

    Call it in a thread while `loop`, the engine's, runs.
    """
    requests = {
        adapter.name: LoRARequest(adapter.name, number, str(adapter.directory))
        for number, adapter in enumerate(adapters, start=1)
    }
    for name, request in requests.items():
        try:
            asyncio.run_coroutine_threadsafe(llm.add_lora(request), loop).result()
        except Exception as exc:  # the engine's process tells any failure of its own as one
            raise StartupError(
                f"{_FLAG} {name}: {request.lora_path} does not fit the model: {exc}"
            ) from exc
    return requests
