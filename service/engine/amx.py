"""Asks Linux for AMX, the matrix unit of recent x86 processors, in each of vLLM's processes.

Linux ends a process that uses AMX without having asked (`arch_prctl`, ARCH_REQ_XCOMP_PERM). vLLM
0.32's attention on CPUs uses it and does not ask: its worker dies of an illegal instruction, unless
a matrix multiplication of oneDNN, which does ask, was large enough to use AMX before. So the first
request to a server could kill it, if it was short. This module is a vLLM general plugin
(`pyproject.toml` registers it), so vLLM itself calls `register` in every process that it starts.
"""

from __future__ import annotations

import torch


def register() -> None:
    """Ask; does nothing where the processor has no AMX."""
    torch.cpu._init_amx()  # noqa: SLF001 - torch has no public name for it
