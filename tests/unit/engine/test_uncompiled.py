"""vLLM's log probabilities need no compiler on a CPU."""

from __future__ import annotations

import subprocess
import sys

# Counts ranks where a C++ compiler, and what one has made before, cannot be found.
COUNT_RANKS = """
import torch
from service.engine import uncompiled

uncompiled.register()
from vllm.v1.sample.sampler import batched_count_greater_than

logprobs = torch.tensor([[-0.5, -2.0, -1.0], [-3.0, -1.0, -2.0]])
print(batched_count_greater_than(logprobs, logprobs[:, 2:]).tolist())
"""


def test_ranks_are_counted_without_a_compiler(tmp_path: object) -> None:
    """With one, the engine stood still for as long as it took."""
    environment = {
        "PATH": "/nowhere",
        "CXX": "/nowhere/c++",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
        "VLLM_LOGGING_LEVEL": "ERROR",
    }
    printed = subprocess.check_output(
        [sys.executable, "-c", COUNT_RANKS], env=environment, text=True
    )
    assert printed.splitlines()[-1] == "[2, 2]"
