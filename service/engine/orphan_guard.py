"""Ends vLLM's processes when the process that started them is gone, even by kill -9.

vLLM 0.32's engine core outlives a killed server and keeps its memory. This module is a vLLM
general plugin (`pyproject.toml` registers it), so vLLM itself calls `register` in every process
that it starts. It imports nothing heavy.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading


def register() -> None:
    """In a child process, watch the parent from a thread; elsewhere do nothing."""
    parent = multiprocessing.parent_process()
    if parent is None or any(thread.name == _THREAD_NAME for thread in threading.enumerate()):
        return
    threading.Thread(
        target=_die_after, args=(parent.sentinel,), name=_THREAD_NAME, daemon=True
    ).start()


def _die_after(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    # SIGKILL: nothing is left to save, and a busy engine would not hear a gentler signal.
    os.kill(os.getpid(), signal.SIGKILL)


_THREAD_NAME = "triptych-orphan-guard"
