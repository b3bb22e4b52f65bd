"""The sidecar's process: started, watched, started again when it dies, stopped.

It serves on two Unix sockets in a private directory, at the same paths for as long as this object
lives, so clients need not know of restarts. The sidecar also watches us: when this process dies,
even by kill -9, it ends itself (`--parent-death`).

Knows nothing of tokenizing; see sidecar_client.py.
Tested by tests/unit/tokenizer/test_sidecar_process.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from service.errors import StartupError
from service.telemetry.logging import logger

_LAST_LINES = 20  # of the sidecar's stderr, kept for error messages


@dataclass(frozen=True, slots=True)
class SidecarTimings:
    """How long to wait for what."""

    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 6.0  # the sidecar itself drains for 5 s
    first_backoff_s: float = 0.1  # before the first restart; doubles with each failure
    last_backoff_s: float = 10.0
    stable_after_s: float = 30.0  # a sidecar that lived so long starts the backoff anew


class SidecarProcess:
    """One sidecar, supervised.

    `start` once, `stop` once. All methods belong to the event loop that called `start`, whose
    thread must live as long as the sidecar: the kernel ties the death signal to it.
    """

    def __init__(
        self,
        binary: Path,
        tokenizer: Path,
        *,
        timings: SidecarTimings | None = None,
        listener: Callable[[bool], None] = lambda _is_up: None,
    ) -> None:
        """Prepare; `tokenizer` is a tokenizer.json or its directory.

        `listener` is called with True each time the sidecar is ready, and with False each time
        that it died unasked.
        """
        self._binary = binary
        self._tokenizer = tokenizer
        self._timings = timings or SidecarTimings()
        self._listener = listener
        self._directory: Path | None = None
        self._process: Process | None = None
        self._stderr_task: asyncio.Task[None] | None = None
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """The gRPC address to connect to; valid after `start`, across restarts."""
        if self._directory is None:
            raise StartupError("the sidecar has not been started")
        return f"unix:{self._directory / 'tokenizer.sock'}"

    @property
    def local_socket(self) -> Path:
        """The socket for calls without gRPC; valid after `start`, across restarts."""
        if self._directory is None:
            raise StartupError("the sidecar has not been started")
        return self._directory / "local.sock"

    @property
    def pid(self) -> int | None:
        """The process id of the sidecar that runs now, if one does."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    async def start(self) -> None:
        """Start the sidecar and wait until it serves; raise StartupError with its last words."""
        self._directory = Path(tempfile.mkdtemp(prefix="triptych-"))
        try:
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._listener(True)
        self._supervisor = asyncio.create_task(self._supervise(), name="sidecar supervisor")

    async def stop(self) -> None:
        """Stop the sidecar: SIGTERM, then SIGKILL. Harmless when it does not run."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._end_process()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    async def _launch(self) -> None:
        self._last_lines.clear()
        arguments = (
            f"--model={self._tokenizer}",
            f"--listen={self.address}",
            f"--local-socket={self.local_socket}",
            f"--parent-death={os.getpid()}",
        )
        try:
            # A process group of its own: Ctrl-C is for the service, which stops the sidecar in
            # order. But not a session: Linux shares processor time out by sessions (autogroup),
            # and the sidecar then waited up to 0.1 s while vLLM's threads kept all processors busy.
            self._process = await asyncio.create_subprocess_exec(
                self._binary, *arguments, stdin=DEVNULL, stderr=PIPE, process_group=0
            )
        except OSError as exc:
            raise StartupError(f"cannot run the tokenizer sidecar {self._binary}: {exc}") from exc
        self._stderr_task = asyncio.create_task(self._read_stderr(self._process))
        await self._wait_until_ready(self._process)

    async def _wait_until_ready(self, process: Process) -> None:
        """Return when the sidecar's health is SERVING, or raise when it exits or takes too long."""
        exited = asyncio.ensure_future(process.wait())
        serving = asyncio.ensure_future(_wait_until_serving(self.address))
        try:
            await asyncio.wait(
                (exited, serving),
                timeout=self._timings.ready_timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if exited.done():
                if self._stderr_task is not None:
                    await self._stderr_task
                raise StartupError(
                    f"the tokenizer sidecar exited with {exited.result()}: {self._last_words()}"
                )
            if not serving.done():
                await self._end_process()
                waited = self._timings.ready_timeout_s
                raise StartupError(
                    f"the tokenizer sidecar was not ready after {waited:g} s: {self._last_words()}"
                )
            serving.result()
        finally:
            exited.cancel()
            serving.cancel()

    async def _supervise(self) -> None:
        """Start the sidecar again whenever it dies, for ever."""
        loop = asyncio.get_running_loop()
        backoff_s = self._timings.first_backoff_s
        while self._process is not None:
            started = loop.time()
            code = await self._process.wait()
            self._listener(False)
            if loop.time() - started >= self._timings.stable_after_s:
                backoff_s = self._timings.first_backoff_s
            logger.warning(
                "the tokenizer sidecar died (exit code %s: %s); starting it again in %.1f s",
                code,
                self._last_words(),
                backoff_s,
            )
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, self._timings.last_backoff_s)
            try:
                await self._launch()
            except StartupError as exc:
                logger.error("%s", exc)
                await self._end_process()
            else:
                logger.info("the tokenizer sidecar serves again")
                self._listener(True)

    async def _end_process(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), self._timings.stop_timeout_s)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._stderr_task is not None:
            await self._stderr_task
            self._stderr_task = None

    async def _read_stderr(self, process: Process) -> None:
        """Log what the sidecar says, and remember the end of it."""
        if process.stderr is None:
            return
        while line := await process.stderr.readline():
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            logger.debug("sidecar: %s", text)

    def _last_words(self) -> str:
        return "; ".join(self._last_lines) or "it said nothing"


async def _wait_until_serving(address: str) -> None:
    """Return when grpc.health.v1 at `address` says SERVING; wait for ever otherwise."""
    options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        async for response in stub.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True):
            if response.status == health_pb2.HealthCheckResponse.SERVING:
                return
