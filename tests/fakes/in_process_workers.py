"""Workers without processes: real tasks, run at once on real descriptors, here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from service.ports import WorkerEndedError

TaskRunner = Callable[[Any, Sequence[BinaryIO]], Any]


class InProcessWorkers:
    """Runs each task with `run_task`, one turn of the event loop later."""

    def __init__(self, run_task: TaskRunner) -> None:
        self.tasks: list[object] = []
        self.callers: list[str] = []
        self.next_end: WorkerEndedError | None = None  # what the next task ends with
        self.go_on = asyncio.Event()  # while not set, tasks wait
        self.go_on.set()
        self._run_task = run_task

    async def run(
        self,
        task: object,
        fds: Sequence[int] = (),
        *,
        wall_s: float | None = None,
        caller: str = "",
        aside: bool = False,
    ) -> Any:
        """Run a task, however long it takes; all of them wait for `go_on`."""
        self.tasks.append(task)
        self.callers.append(caller)
        await asyncio.sleep(0)
        await self.go_on.wait()
        if self.next_end is not None:
            end, self.next_end = self.next_end, None
            raise end
        files = [os.fdopen(os.dup(fd), "rb") for fd in fds]
        try:
            for file in files:
                file.seek(0)
            return self._run_task(task, files)
        finally:
            for file in files:
                file.close()
