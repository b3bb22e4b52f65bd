"""A real fork server whose tasks do what media could make a worker do: `python -m … CONTROL_FD`."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
import torch

from service.errors import InvalidRequestError, StartupError
from service.workers.channel import Channel
from service.workers.fork_server import run_fork_server


def echo(argument: object) -> object:
    return argument


def read(_: object, file: BinaryIO) -> bytes:
    return file.read()


def arrays(size: int) -> dict[str, Any]:
    return {
        "halves": torch.arange(size, dtype=torch.bfloat16),
        "empty": torch.empty((0, 3)),
        "numbers": [np.arange(size), np.arange(6).reshape(2, 3)],
        "scalar": torch.tensor(2.5),
        "closure": lambda x: x + size,
    }


def refuse(field: str) -> None:
    raise InvalidRequestError(field, "is refused")


def break_down(_: object) -> None:
    raise ZeroDivisionError("a defect")


def crash(_: object) -> None:
    ctypes.string_at(0)


def leave(code: int) -> None:
    os._exit(code)


def spin(_: object) -> None:
    while True:
        pass


def sleep(_: object) -> None:
    signal.pause()


def take_memory(size_bytes: int) -> int:
    return len(bytearray(size_bytes))


def take_torch_memory(size_bytes: int) -> int:
    return torch.ones(size_bytes, dtype=torch.uint8).numel()


def pid(_: object) -> int:
    return os.getpid()


def parent(_: object) -> int:
    return os.getppid()


def connect(address: tuple[str, int]) -> str:
    return _error_of(lambda: socket.create_connection(address))


def send_to_server(pid_: int) -> str:
    return _error_of(lambda: os.kill(pid_, signal.SIGKILL))


def run_program(path: str) -> str:
    return _error_of(lambda: os.execv(path, [path]))  # noqa: S606 - it must not start


def _error_of(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "it worked"


TASKS = {
    task.__name__: task
    for task in (
        *(echo, read, arrays, refuse, break_down, crash, leave, spin, sleep),
        *(take_memory, take_torch_memory, pid, parent, connect, send_to_server, run_program),
    )
}


def run(task: tuple[str, object], files: Sequence[BinaryIO]) -> object:
    name, argument = task
    return TASKS[name](argument, *files)


def load(how: str) -> Callable[[Any, Sequence[BinaryIO]], object]:
    if how == "refuse":
        raise StartupError("there is no such model")
    if how == "break":
        raise RuntimeError("odd config")
    if how == "die":
        os._exit(3)
    torch.set_num_threads(1)
    return run


if __name__ == "__main__":
    sys.exit(run_fork_server(Channel.from_fd(int(sys.argv[1])), load))
