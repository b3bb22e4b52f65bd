"""Workers do their tasks, end without harm to anything but their task, and come back."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import torch

from service.errors import InvalidRequestError, StartupError
from service.ports import WorkerEnd, WorkerEndedError
from service.workers.channel import Channel
from service.workers.pool import WorkerLimits, WorkerPool, _Lane, _Worker

PROGRAM = [sys.executable, "-m", "tests.unit.workers.program"]
LIMITS = WorkerLimits(count=1, memory_bytes=256 << 20, cpu_s=1.0, wall_s=30.0, tasks_a_worker=50)


def make_pool(limits: WorkerLimits = LIMITS, how: str = "", **options: object) -> WorkerPool:
    return WorkerPool(PROGRAM, how, limits, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    pool = make_pool()
    await pool.start()
    yield pool
    await pool.stop()


pytestmark = pytest.mark.asyncio(loop_scope="module")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def wait_until_gone(pid: int) -> None:
    """Wait for a process that is nobody's child here."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(process, gone.set)
    try:
        await asyncio.wait_for(gone.wait(), 20)
    finally:
        asyncio.get_running_loop().remove_reader(process)
        os.close(process)


async def test_a_result_comes_back(pool: WorkerPool) -> None:
    assert await pool.run(("echo", {"a": [1, None]})) == {"a": [1, None]}


async def test_what_is_run_aside_waits_for_nothing_else() -> None:
    """It has a worker of its own, which nothing else gets, and which is replaced by such a one."""
    pool = make_pool(replace(LIMITS, set_aside=1))
    await pool.start()
    try:
        busy = asyncio.create_task(pool.run(("sleep", None)))
        for _ in range(2):
            assert await pool.run(("echo", 1), aside=True) == 1
            with pytest.raises(WorkerEndedError):
                await pool.run(("crash", None), aside=True)
        waiting = asyncio.create_task(pool.run(("echo", 2)))
        assert await pool.run(("echo", 3), aside=True) == 3
        assert not waiting.done()
        busy.cancel()
        assert await waiting == 2
    finally:
        await pool.stop()


async def test_callers_take_turns(pool: WorkerPool) -> None:
    """One that has sent many tasks before does not hold another one up for all of them."""
    done: list[str] = []

    async def run(caller: str) -> None:
        await pool.run(("echo", caller), caller=caller)
        done.append(caller)

    await asyncio.gather(*(run(caller) for caller in "aaaaab"))
    assert done == [*"aabaaa"]


async def test_every_task_reads_a_file_from_its_start(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with (tmp_path / "file").open("rb") as file:
        for _ in range(2):
            assert await pool.run(("read", None), [file.fileno()]) == b"content"


async def test_arrays_come_back_unchanged_and_writable(pool: WorkerPool) -> None:
    got = await pool.run(("arrays", 1000))
    assert torch.equal(got["halves"], torch.arange(1000, dtype=torch.bfloat16))
    assert got["empty"].shape == (0, 3)
    assert np.array_equal(got["numbers"][0], np.arange(1000))
    assert np.array_equal(got["numbers"][1], [[0, 1, 2], [3, 4, 5]])
    assert got["scalar"].item() == 2.5
    assert got["closure"](1) == 1001
    got["halves"][0] = 7
    assert got["halves"][0] == 7


async def test_large_arrays_cost_the_server_no_copy(pool: WorkerPool) -> None:
    """They lie in the worker's file, which is mapped."""
    got = await pool.run(("arrays", 1_000_000))
    address = got["halves"].data_ptr()
    maps = Path("/proc/self/maps").read_text().splitlines()
    places = ((line, *line.split()[0].split("-")) for line in maps)
    (line,) = (line for line, start, end in places if int(start, 16) <= address < int(end, 16))
    assert "memfd:triptych-result" in line


async def test_our_errors_come_back_as_they_are(pool: WorkerPool) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        await pool.run(("refuse", "some.field"))
    assert refusal.value.violations == [("some.field", "is refused")]
    assert refusal.value.metadata == {"field": "some.field"}
    assert str(refusal.value) == "some.field: is refused"


async def test_a_defect_fails_its_task_and_leaves_the_worker(pool: WorkerPool) -> None:
    before = await pool.run(("pid", None))
    with pytest.raises(RuntimeError, match="a defect"):
        await pool.run(("break_down", None))
    assert await pool.run(("pid", None)) == before


@pytest.mark.parametrize(
    ("task", "end"),
    [
        (("crash", None), WorkerEnd.CRASHED),
        (("leave", 0), WorkerEnd.LOST),
        (("leave", 7), WorkerEnd.LOST),
        (("spin", None), WorkerEnd.CPU_TIME),
        (("take_memory", 300 << 20), WorkerEnd.MEMORY),
        (("take_torch_memory", 300 << 20), WorkerEnd.MEMORY),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
async def test_a_worker_that_ends_fails_only_its_task(
    pool: WorkerPool, task: tuple[str, object], end: WorkerEnd
) -> None:
    """The one after it is served by a new worker."""
    before = await pool.run(("pid", None))
    failing, next_one = await asyncio.gather(
        pool.run(task), pool.run(("pid", None)), return_exceptions=True
    )
    assert isinstance(failing, WorkerEndedError)
    assert failing.end is end
    assert isinstance(next_one, int)
    assert next_one != before


async def test_memory_below_the_limit_is_had(pool: WorkerPool) -> None:
    assert await pool.run(("take_memory", 150 << 20)) == 150 << 20


async def test_a_task_that_only_waits_is_ended_too() -> None:
    ends = []
    pool = make_pool(WorkerLimits(count=1, wall_s=0.2), on_end=ends.append)
    await pool.start()
    with pytest.raises(WorkerEndedError) as ended:
        await pool.run(("sleep", None))
    assert (ended.value.end, ended.value.limit) == (WorkerEnd.WALL_TIME, 0.2)
    assert ends == [WorkerEnd.WALL_TIME]
    await pool.stop()


async def test_a_cancelled_task_ends_its_worker_and_no_other(pool: WorkerPool) -> None:
    before = await pool.run(("pid", None))
    running = asyncio.create_task(pool.run(("sleep", None)))
    waiting = asyncio.create_task(pool.run(("echo", "never")))
    after = asyncio.create_task(pool.run(("pid", None)))
    await asyncio.sleep(0)
    waiting.cancel()
    running.cancel()
    assert await after != before
    await wait_until_gone(before)
    assert waiting.cancelled()
    assert running.cancelled()


async def test_a_kill_that_comes_before_the_process_is_known_is_done_then() -> None:
    """A worker may be ready, and its task cancelled, before the fork server has told of it."""
    ours, _ = Channel.pair()
    worker = _Worker(0, ours, _Lane(1))
    worker.kill(WorkerEnd.LOST)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import signal; signal.pause()"
    )
    worker.born(process.pid)
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    worker.close()


async def test_a_worker_is_replaced_after_its_share_of_tasks() -> None:
    pool = make_pool(WorkerLimits(count=1, tasks_a_worker=2))
    await pool.start()
    pids = [await pool.run(("pid", None)) for _ in range(6)]
    assert pids == [pid for pid in dict.fromkeys(pids) for _ in range(2)]
    assert len(set(pids)) == 3
    await pool.stop()


async def test_several_workers_work_at_once() -> None:
    pool = make_pool(WorkerLimits(count=2))
    await pool.start()
    sleeping = asyncio.create_task(pool.run(("sleep", None)))
    assert await pool.run(("echo", "beside it")) == "beside it"
    sleeping.cancel()
    await pool.stop()


async def test_a_worker_reaches_no_network_no_program_and_no_process(pool: WorkerPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        assert await pool.run(("connect", listener.getsockname())) == "PermissionError"
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert await pool.run(("send_to_server", os.getpid())) == "PermissionError"
    assert await pool.run(("run_program", sys.executable)) == "PermissionError"


async def test_the_fork_server_comes_back() -> None:
    """A task that ran fails; one that comes meanwhile waits."""
    pool = make_pool()
    await pool.start()
    fork_server, worker = await pool.run(("parent", None)), await pool.run(("pid", None))
    sleeping = asyncio.create_task(pool.run(("sleep", None)))
    await asyncio.sleep(0)
    os.kill(fork_server, signal.SIGKILL)
    with pytest.raises(WorkerEndedError) as ended:
        await sleeping
    assert ended.value.end is WorkerEnd.LOST
    assert await pool.run(("parent", None)) != fork_server
    await wait_until_gone(worker)
    await pool.stop()


async def test_stopping_ends_every_process() -> None:
    pool = make_pool()
    await pool.start()
    fork_server, worker = await pool.run(("parent", None)), await pool.run(("pid", None))
    sleeping = asyncio.create_task(pool.run(("sleep", None)))
    await asyncio.sleep(0)
    await pool.stop()
    with pytest.raises(WorkerEndedError):
        await sleeping
    assert not is_alive(fork_server)
    await wait_until_gone(worker)


@pytest.mark.parametrize(
    ("how", "problem"),
    [("refuse", "there is no such model"), ("break", "odd config"), ("die", "it died")],
)
async def test_a_start_that_fails_says_why(how: str, problem: str) -> None:
    pool = make_pool(how=how)
    with pytest.raises(StartupError, match=problem):
        await pool.start()
