"""The server's side of the worker processes: hands out tasks, replaces what ends.

A worker serves one task at a time; of several callers' tasks, those of a caller with none in a
worker come first. A worker is replaced when it ends (its task then fails, no other),
after `tasks_a_worker` tasks, and when a task is cancelled. The process that they are forked from
is started again when it dies; tasks wait meanwhile.

Tested by tests/unit/workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.domain.turns import Turns
from service.errors import StartupError
from service.ports import WorkerEnd, WorkerEndedError
from service.telemetry.logging import logger
from service.workers import shared_pickle
from service.workers.channel import Channel
from service.workers.fork_server import Ended, Fork, Forked, LoadFailed, Ready, Setup
from service.workers.worker import TaskBroken, TaskDone, TaskFailed, WorkerReady

_CRASH_SIGNALS = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGABRT,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGSYS,
        signal.SIGTRAP,
    }
)
_RESTART_AFTER_S = 1.0
_STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How many workers, and what each may use; `set_aside` are for tasks that are run so."""

    count: int
    set_aside: int = 0
    memory_bytes: int = 4 << 30  # beside what all of them share
    cpu_s: float = 60.0  # a task
    wall_s: float = 120.0  # a task
    tasks_a_worker: int = 1000


class _Lane:
    """So many workers, and the tasks that only these may run."""

    def __init__(self, count: int) -> None:
        self.turns = Turns(count)
        self.idle: asyncio.Queue[_Worker] = asyncio.Queue()


class _Worker:
    """A forked process, from the request for it to its end."""

    def __init__(self, worker_id: int, channel: Channel, lane: _Lane) -> None:
        self.worker_id = worker_id
        self.lane = lane
        self.pid = 0  # 0: not told yet
        self.channel = channel
        self.pidfd = -1
        self.is_ready = False
        self.task_count = 0
        self.task: asyncio.Future[Any] | None = None
        self.killed_for: WorkerEnd | None = None

    def kill(self, end: WorkerEnd) -> None:
        """End it; the fork server tells when that has happened."""
        if self.killed_for is None:
            self.killed_for = end
            self._send_kill()

    def born(self, pid: int) -> None:
        """Note the process; it may have served, and been killed, before this was told."""
        self.pid = pid
        with contextlib.suppress(ProcessLookupError):
            self.pidfd = os.pidfd_open(pid)
        if self.killed_for is not None:
            self._send_kill()

    def _send_kill(self) -> None:
        if self.pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def why_ended(self, exit_code: int) -> WorkerEnd:
        """Tell the reason from how the process ended."""
        if self.killed_for is not None:
            return self.killed_for
        if exit_code == -signal.SIGXCPU:
            return WorkerEnd.CPU_TIME
        return WorkerEnd.CRASHED if -exit_code in _CRASH_SIGNALS else WorkerEnd.LOST

    def close(self) -> None:
        self.channel.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


class WorkerPool:
    """`limits.count` workers. Belongs to the event loop that calls `start`."""

    def __init__(
        self,
        command: Sequence[str],
        load: Any,  # noqa: ANN401 - what the fork server's `load` takes
        limits: WorkerLimits,
        *,
        environment: Mapping[str, str] | None = None,
        on_end: Callable[[WorkerEnd], None] = lambda _end: None,
    ) -> None:
        """Prepare; the control channel's descriptor is appended to `command`.

        `load` goes, pickled, to the loader in the fork server. `environment` is that process's
        (None: the server's own). `on_end` hears of each worker that
        ended in the middle of a task.
        """
        self._command = command
        self._setup = Setup(load, limits.memory_bytes, limits.cpu_s)
        self._limits = limits
        self._environment = environment
        self._on_end = on_end
        self._ids = itertools.count()
        self._workers: dict[int, _Worker] = {}
        self._lane = _Lane(limits.count)
        self._aside = _Lane(limits.set_aside)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Channel | None = None
        self._ready: asyncio.Future[None] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()

    async def start(self) -> None:
        """Load, and fork all workers; takes as long as importing vLLM. Raises StartupError."""
        try:
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="fork server supervisor")

    async def stop(self) -> None:
        """End all processes. What still runs fails with WorkerEnd.LOST."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        self._forget_all()
        if self._process is not None:
            process, self._process = self._process, None
            try:
                await asyncio.to_thread(process.wait, _STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)

    async def run(
        self,
        task: object,
        fds: Sequence[int] = (),
        *,
        wall_s: float | None = None,
        caller: str = "",
        aside: bool = False,
    ) -> Any:  # noqa: ANN401 - the task's
        """Run a task in the next free worker (see the `Workers` port)."""
        lane = self._aside if aside else self._lane
        async with lane.turns.turn(caller):
            return await self._run(await self._take(lane), task, fds, wall_s)

    async def _run(
        self, worker: _Worker, task: object, fds: Sequence[int], wall_s: float | None
    ) -> Any:  # noqa: ANN401 - the task's
        loop = asyncio.get_running_loop()
        worker.task = result = loop.create_future()
        worker.task_count += 1
        wall_s = self._limits.wall_s if wall_s is None else wall_s
        timer = loop.call_later(wall_s, worker.kill, WorkerEnd.WALL_TIME)
        try:
            # If the worker has just died, the fork server's word on it ends the task.
            with contextlib.suppress(OSError):
                worker.channel.send(task, fds)
            return await result
        finally:
            timer.cancel()
            worker.task = None
            self._give_back(worker, is_spent=not _is_complete(result))

    @property
    def fork_server_pid(self) -> int | None:
        """The process id of the fork server, while one runs."""
        return self._process.pid if self._process is not None else None

    async def _take(self, lane: _Lane) -> _Worker:
        while True:
            worker = await lane.idle.get()
            if worker.worker_id in self._workers and worker.killed_for is None:
                return worker

    def _give_back(self, worker: _Worker, *, is_spent: bool) -> None:
        if worker.worker_id not in self._workers:
            return
        if is_spent or worker.task_count >= self._limits.tasks_a_worker:
            worker.kill(WorkerEnd.LOST)  # its end brings the next one
        else:
            worker.lane.idle.put_nowait(worker)

    async def _launch(self) -> None:
        self._gone.clear()
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._control, other = Channel.pair()
        command = [*self._command, str(other.fileno())]
        # A process group of its own: Ctrl-C is for the server, which stops it in order.
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - milliseconds; our own program
            command,
            env=self._environment,
            pass_fds=[other.fileno()],
            process_group=0,
            stdin=subprocess.DEVNULL,
        )
        other.close()
        loop.add_reader(self._control, self._on_control, self._control)
        self._control.send(self._setup)
        await self._ready
        self._ready = loop.create_future()
        for lane in (self._lane, self._aside):
            for _ in range(lane.turns.places):
                self._fork(lane)
        await self._ready

    async def _supervise(self) -> None:
        while True:
            await self._gone.wait()
            logger.error("the media workers' fork server died; starting it again")
            while True:
                await asyncio.sleep(_RESTART_AFTER_S)
                try:
                    await self._launch()
                except StartupError as error:
                    logger.error("%s", error)
                    self._forget_all()
                else:
                    logger.info("the media workers are back")
                    break

    def _fork(self, lane: _Lane) -> None:
        if self._control is None:
            return
        ours, theirs = Channel.pair()
        worker = _Worker(next(self._ids), ours, lane)
        self._workers[worker.worker_id] = worker
        asyncio.get_running_loop().add_reader(ours, self._on_reply, worker)
        with contextlib.suppress(OSError):  # it is gone: `_on_control` will hear of that
            self._control.send(Fork(worker.worker_id), [theirs.fileno()])
        theirs.close()

    def _on_control(self, control: Channel) -> None:
        received = control.receive()
        message = received.message if received is not None else None
        match message:
            case None:
                self._fail_start("it died")
                self._forget_all()
                self._gone.set()
            case Ready():
                _set_result(self._ready)
            case LoadFailed(problem):
                self._fail_start(problem)
            case Forked(worker_id, pid):
                if worker_id in self._workers:
                    self._workers[worker_id].born(pid)
            case Ended(worker_id, exit_code):
                self._on_worker_end(worker_id, exit_code)

    def _on_worker_end(self, worker_id: int, exit_code: int) -> None:
        worker = self._workers.get(worker_id)
        if worker is None:
            return
        # A result may have been sent just before the end.
        while worker.task is not None and not worker.task.done() and self._on_reply(worker):
            pass
        self._forget(worker, worker.why_ended(exit_code))
        if worker.is_ready:
            self._fork(worker.lane)
            return
        problem = f"a media worker could not be set up (exit code {exit_code})"
        if not self._fail_start(f"{problem}; its reason is on standard error"):
            logger.error("%s; trying again in %g s", problem, _RESTART_AFTER_S)
            asyncio.get_running_loop().call_later(_RESTART_AFTER_S, self._fork, worker.lane)

    def _on_reply(self, worker: _Worker) -> bool:
        """Take one message of a worker; return whether there was one."""
        received = worker.channel.receive()
        if received is None:
            asyncio.get_running_loop().remove_reader(worker.channel)
            return False
        task = worker.task
        match received.message:
            case WorkerReady():
                worker.is_ready = True
                worker.lane.idle.put_nowait(worker)
                count = self._limits.count + self._limits.set_aside
                if sum(one.is_ready for one in self._workers.values()) >= count:
                    _set_result(self._ready)
            case TaskDone() if task is not None and not task.done():
                task.set_result(shared_pickle.load(received.fds[0]))
            case TaskFailed(error) if task is not None and not task.done():
                task.set_exception(error or self._ended_error(WorkerEnd.MEMORY))
            case TaskBroken(text) if task is not None and not task.done():
                logger.error("a media task failed:\n%s", text)
                task.set_exception(RuntimeError(text.splitlines()[-1]))
        for fd in received.fds:
            os.close(fd)
        return True

    def _ended_error(self, end: WorkerEnd) -> WorkerEndedError:
        limits = {
            WorkerEnd.MEMORY: self._limits.memory_bytes,
            WorkerEnd.CPU_TIME: self._limits.cpu_s,
            WorkerEnd.WALL_TIME: self._limits.wall_s,
        }
        return WorkerEndedError(end, limits.get(end))

    def _forget(self, worker: _Worker, end: WorkerEnd) -> None:
        del self._workers[worker.worker_id]
        if worker.channel.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(worker.channel)
        if worker.task is not None and not worker.task.done():
            self._on_end(end)
            logger.warning("a media worker ended in the middle of its task: %s", end)
            worker.task.set_exception(self._ended_error(end))
        worker.close()

    def _forget_all(self) -> None:
        for worker in list(self._workers.values()):
            self._forget(worker, WorkerEnd.LOST)
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None

    def _fail_start(self, problem: str) -> bool:
        """Fail the start that is waited for; return whether there was one."""
        if self._ready is None or self._ready.done():
            return False
        self._ready.set_exception(StartupError(f"the media workers did not start: {problem}"))
        return True


def _set_result(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


def _is_complete(result: asyncio.Future[Any]) -> bool:
    """Tell whether a worker has answered, and has memory left for the next task."""
    if result.cancelled() or not result.done():
        return False
    error = result.exception()
    return not isinstance(error, WorkerEndedError)
