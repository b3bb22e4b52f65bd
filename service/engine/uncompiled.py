"""Lets vLLM's sampler run as it is written on a CPU, in each of vLLM's processes.

vLLM 0.32 has one function of its sampler compiled, whatever `--enforce-eager` says: the one that
counts ranks for log probabilities. On a CPU that means a C++ compiler, run inside a step of the
engine at the first request that asks for them, while nobody is answered. On a busy machine that
took more than the 300 s after which vLLM takes its worker for dead. What compiling saves is a copy
of the logits. This module is a vLLM general plugin (`pyproject.toml` registers it).
"""

from __future__ import annotations

from vllm.platforms import current_platform


def register() -> None:
    """Put the function itself in the place of the compiled one."""
    if not current_platform.is_cpu():
        return
    # Late: a plugin is imported while vLLM itself is.
    from vllm.v1.sample import sampler  # noqa: PLC0415
    from vllm.v1.sample.ops import logprobs  # noqa: PLC0415

    compiled = logprobs.batched_count_greater_than
    plain = getattr(compiled, "_torchdynamo_orig_callable", compiled)
    for module in (logprobs, sampler):  # the second has imported it by its name
        setattr(module, compiled.__name__, plain)
