"""vLLM's processes may use AMX where the processor has it."""

from __future__ import annotations

import subprocess
import sys

import torch

# Prints whether Linux lets the process use AMX's tiles: bit 18 of what ARCH_GET_XCOMP_PERM gives.
PRINT_PERMISSION = """
import ctypes
from service.engine import amx

amx.register()
permitted = ctypes.c_ulong()
ctypes.CDLL(None).syscall(158, 0x1022, ctypes.byref(permitted))  # arch_prctl on x86-64
print(bool(permitted.value >> 18 & 1))
"""


def test_a_process_may_use_amx_wherever_there_is_one() -> None:
    """Without the permission a short first request ended vLLM's worker with SIGILL."""
    printed = subprocess.check_output([sys.executable, "-c", PRINT_PERMISSION], text=True)

    assert printed.strip() == str(torch.cpu._is_amx_tile_supported())
