"""The life of one worker process: a task comes, its result goes back through shared memory."""

from __future__ import annotations

import io
import os
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

from service.errors import TriptychError
from service.workers import sandbox, shared_pickle
from service.workers.channel import Channel

# Its end says most.
_TRACEBACK_CHARACTERS = 20_000
# Runs one task on the files that came with it; what it raises of errors.py reaches the caller.
TaskRunner = Callable[[Any, Sequence[BinaryIO]], Any]


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """The worker is shut in and waits for its first task."""


@dataclass(frozen=True, slots=True)
class TaskDone:
    """The result is in the descriptor that comes with this."""


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The task raised one of our errors; None: it needed more memory than it may have."""

    error: TriptychError | None


@dataclass(frozen=True, slots=True)
class TaskBroken:
    """The task raised what it should not: a defect, told for the log."""

    traceback: str


def run_worker(channel: Channel, run_task: TaskRunner, *, memory_bytes: int, cpu_s: float) -> None:
    """Serve tasks until the peer is gone."""
    sandbox.enter(memory_bytes)
    channel.send(WorkerReady())
    while (received := channel.receive()) is not None:
        sandbox.limit_cpu_time(cpu_s)
        with ExitStack() as stack:
            files = [stack.enter_context(_open(fd)) for fd in received.fds]
            reply, fds = _run(run_task, received.message, files)
        channel.send(reply, fds)
        for fd in fds:
            os.close(fd)


def _open(fd: int) -> BinaryIO:
    file = io.open(fd, "rb")  # noqa: SIM115, UP020 - closed by the stack
    # The sender's descriptor shares its position with this one.
    file.seek(0)
    return file


def _run(
    run_task: TaskRunner, task: object, files: Sequence[BinaryIO]
) -> tuple[TaskDone | TaskFailed | TaskBroken, list[int]]:
    try:
        return TaskDone(), [shared_pickle.dump(run_task(task, files))]
    except TriptychError as error:
        return TaskFailed(error), []
    except MemoryError:
        return TaskFailed(None), []
    except Exception as error:  # noqa: BLE001 - told to the server, which logs it
        # torch has no class of its own for it.
        if "can't allocate memory" in str(error):
            return TaskFailed(None), []
        return TaskBroken(traceback.format_exc()[-_TRACEBACK_CHARACTERS:]), []
