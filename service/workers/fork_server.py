"""The process that workers are forked from: it loads everything once, and then only forks.

So a new worker costs milliseconds instead of the many seconds of importing vLLM and building a
processor, and all workers share what was loaded. The same idea, and name, as in Python's
`multiprocessing.forkserver`; that one cannot tell how a child ended.
"""

from __future__ import annotations

import gc
import os
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from service.errors import TriptychError
from service.workers.channel import Channel
from service.workers.worker import TaskRunner, run_worker

_NICENESS = 10


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message: what to load, and what each worker may use."""

    load: Any
    memory_bytes: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Fork:
    """Asks for a worker; its end of a channel comes with this."""

    worker_id: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything is loaded."""


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """Nothing can be forked; this process ends."""

    problem: str


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker lives."""

    worker_id: int
    pid: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker has ended: with an exit code, or minus the number of a signal."""

    worker_id: int
    exit_code: int


def run_fork_server(control: Channel, load: Callable[[Any], TaskRunner]) -> int:
    """Load, then fork on demand until the server is gone; return the exit code."""
    received = control.receive()
    if received is None:
        return 0
    setup: Setup = received.message
    try:
        run_task = load(setup.load)
    except TriptychError as error:
        control.send(LoadFailed(error.message))
        return 1
    except Exception as error:  # noqa: BLE001 - whatever vLLM raises for a model
        control.send(LoadFailed(f"{type(error).__name__}: {error}"))
        return 1
    # Running streams come first: what prepares for later requests takes the time that is left.
    os.nice(_NICENESS)
    # What was loaded is never looked through again, and so stays shared with the children.
    gc.collect()
    gc.freeze()
    _ForkServer(control, setup, run_task).run()
    return 0


class _ForkServer:
    def __init__(self, control: Channel, setup: Setup, run_task: TaskRunner) -> None:
        self._control = control
        self._setup = setup
        self._run_task = run_task
        self._worker_ids: dict[int, int] = {}  # by process id

    def run(self) -> None:
        wakeup, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when this ends
        self._control.send(Ready())
        while True:
            readable, _, _ = select.select([self._control.fileno(), wakeup], [], [])
            if wakeup in readable:
                os.read(wakeup, 4096)
                self._reap()
            if self._control.fileno() in readable:
                received = self._control.receive()
                if received is None:
                    return  # the children die with this process
                self._fork(received.message, received.fds[0])

    def _fork(self, request: Fork, fd: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._be_worker(fd)
        os.close(fd)
        self._worker_ids[pid] = request.worker_id
        self._control.send(Forked(request.worker_id, pid))

    def _be_worker(self, fd: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            run_worker(
                Channel.from_fd(fd),
                self._run_task,
                memory_bytes=self._setup.memory_bytes,
                cpu_s=self._setup.cpu_s,
            )
        except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's code
            os.write(2, f"media worker: {type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)

    def _reap(self) -> None:
        while self._worker_ids:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            worker_id = self._worker_ids.pop(pid)
            self._control.send(Ended(worker_id, os.waitstatus_to_exitcode(status)))
