"""The sidecar as a process: its command line, its start, its death and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.errors import StartupError
from service.tokenizer.sidecar_process import SidecarProcess, SidecarTimings

FAST = SidecarTimings(first_backoff_s=0.01, last_backoff_s=0.02)


def run(binary: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the sidecar to its end."""
    return subprocess.run(
        [binary, *arguments], capture_output=True, text=True, timeout=20, check=False
    )


def test_help_and_version(binary: Path) -> None:
    """--help and --version print to stdout and succeed."""
    assert run(binary, "--help").stdout.startswith("usage: triptych-tokenizer")
    assert "0.1.0\n" == run(binary, "--version").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--model is missing: give a tokenizer.json, or a directory that has one"),
        (["--tokenizer", "x"], "--listen is missing: give unix:PATH or HOST:PORT"),
        (["--tokenizer"], "--tokenizer needs a value"),
        (["--listen=1"], '--listen: "1" is neither unix:PATH nor HOST:PORT'),
        (["--max-batch=0"], '--max-batch: "0" is not a number from 1 on'),
        (["--listen=unix:" + "x" * 108], "--listen: the path is longer than 107 bytes"),
        (
            ["--local-socket=" + "x" * 108],
            "--local-socket: the path is longer than 107 bytes",
        ),
        (["--local-socket="], "--local-socket: the path is empty"),
        (
            ["--model=m", "--listen=unix:/s", "--local-socket=/s"],
            "--local-socket: the path is that of --listen; give another one",
        ),
        (["--port", "1"], '"--port" is not a flag; see --help'),
        (["--tokenizers-series=2"], '--tokenizers-series: "2" is neither 0.23 nor 1.0'),
        (["--parent-death=me"], '--parent-death: "me" is not a process id'),
    ],
)
def test_bad_flags(binary: Path, arguments: list[str], message: str) -> None:
    """A mistake in the flags exits with 2 and tells the cure, on stderr."""
    finished = run(binary, *arguments)

    assert (2, "", f"triptych-tokenizer: {message}\n") == (
        finished.returncode,
        finished.stdout,
        finished.stderr,
    )


def test_a_file_that_does_not_exist(binary: Path, tmp_path: Path) -> None:
    """A missing tokenizer exits with 1 and names the file."""
    finished = run(binary, f"--tokenizer={tmp_path}/tokenizer.json", f"--listen=unix:{tmp_path}/s")

    assert 1 == finished.returncode
    assert (
        f"triptych-tokenizer: {tmp_path}/tokenizer.json: there is no such file\n" == finished.stderr
    )


def test_a_wrong_parent_is_noticed(binary: Path, tmp_path: Path) -> None:
    """A parent that is gone before the sidecar looks is noticed at the start."""
    finished = run(
        binary, f"--tokenizer={tmp_path}", f"--listen=unix:{tmp_path}/s", "--parent-death=1"
    )

    assert 1 == finished.returncode
    assert "the process 1 is not our parent" in finished.stderr


async def test_start_and_stop(binary: Path, trained_path: Callable[[str], Path]) -> None:
    """The sidecar serves when start returns; stop leaves neither process nor directory."""
    states: list[bool] = []
    process = SidecarProcess(binary, trained_path("gpt2"), listener=states.append)
    await process.start()
    socket = Path(process.address.removeprefix("unix:"))
    pid = process.pid
    assert pid is not None
    assert socket.is_socket()
    assert process.local_socket.is_socket()
    assert 0o700 == socket.parent.stat().st_mode & 0o777

    await process.stop()

    assert [True] == states
    with pytest.raises(FileNotFoundError):
        socket.parent.stat()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_ctrl_c_does_not_reach_the_sidecar_and_the_scheduler_treats_it_as_ours(
    binary: Path, trained_path: Callable[[str], Path]
) -> None:
    """In a session of its own it waited up to 0.1 s for a processor beside a busy engine."""
    process = SidecarProcess(binary, trained_path("gpt2"))
    await process.start()
    assert process.pid is not None
    group, session = os.getpgid(process.pid), os.getsid(process.pid)
    await process.stop()

    assert group != os.getpgid(0)
    assert session == os.getsid(0)


async def test_stop_ends_with_sigkill(binary: Path, trained_path: Callable[[str], Path]) -> None:
    """A sidecar that does not react to SIGTERM is killed."""
    timings = SidecarTimings(stop_timeout_s=0.01)
    process = SidecarProcess(binary, trained_path("gpt2"), timings=timings)
    await process.start()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)

    await process.stop()

    assert process.pid is None


async def test_a_killed_sidecar_is_started_again(
    binary: Path, trained_path: Callable[[str], Path]
) -> None:
    """The listener hears down and up, and the address stays."""
    states: asyncio.Queue[bool] = asyncio.Queue()
    process = SidecarProcess(binary, trained_path("gpt2"), timings=FAST, listener=states.put_nowait)
    await process.start()
    address = process.address
    assert await states.get()

    for _ in range(3):
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        assert [False, True] == [await states.get(), await states.get()]

    assert address == process.address
    await process.stop()


async def test_a_bad_file_fails_the_start(binary: Path, tmp_path: Path) -> None:
    """start raises with the sidecar's own words."""
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {"type": "Nonsense"}}')
    process = SidecarProcess(binary, path)

    with pytest.raises(StartupError, match=r"model\.type: \"Nonsense\""):
        await process.start()


async def test_a_missing_binary_fails_the_start(tmp_path: Path) -> None:
    """start raises when there is nothing to run."""
    with pytest.raises(StartupError, match="cannot run the tokenizer sidecar"):
        await SidecarProcess(tmp_path / "none", tmp_path).start()


async def test_a_start_that_takes_too_long_fails(tmp_path: Path) -> None:
    """start raises when the sidecar does not become healthy in time."""
    binary = tmp_path / "sleeper"
    binary.write_text("#!/bin/sh\nexec sleep 60\n")
    binary.chmod(0o700)
    process = SidecarProcess(binary, tmp_path, timings=SidecarTimings(ready_timeout_s=0.05))

    with pytest.raises(StartupError, match=r"was not ready after 0\.05 s"):
        await process.start()


def test_the_parents_death_ends_the_sidecar(
    binary: Path, trained_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """When the service is killed with -9 no sidecar stays behind."""
    arguments = [str(binary), f"--tokenizer={trained_path('gpt2')}", f"--listen=unix:{tmp_path}/s"]
    parent = f"""
import os, subprocess, time
subprocess.Popen([*{arguments!r}, f"--parent-death={{os.getpid()}}"])
time.sleep(60)
"""
    # Both share the pipe: it ends only when the sidecar, too, is gone.
    process = subprocess.Popen([sys.executable, "-c", parent], stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert b"ready" in process.stderr.readline()

    process.kill()
    process.wait()

    assert b"" == process.stderr.read()
    process.stderr.close()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_signals_drain(
    binary: Path, trained_path: Callable[[str], Path], tmp_path: Path, signal_number: int
) -> None:
    """SIGTERM and SIGINT end the sidecar with 0."""
    process = subprocess.Popen(
        [binary, f"--tokenizer={trained_path('gpt2')}", f"--listen=unix:{tmp_path}/s"],
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.readline()

    process.send_signal(signal_number)

    assert 0 == process.wait(timeout=4)
    process.stderr.close()
