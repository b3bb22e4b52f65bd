"""Run the service on a checkpoint for as long as a script needs it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from triptych_client import Client, DeadlineExceededError

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_TIMEOUT_S = 300


@contextlib.contextmanager
def running_server(*arguments: str) -> Iterator[Client]:
    """Run `serve` with the arguments on a free port; yield a client once it is ready.

    Raises:
        SystemExit: the server ended before it was ready. It has printed why.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "service", "serve", *arguments, "--listen", address]
    process = subprocess.Popen(command)
    try:
        with Client(address) as client:
            _wait_until_ready(client, process)
            yield client
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(client: Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(_START_TIMEOUT_S):
        if process.poll() is not None:
            sys.exit("the server ended before it was ready")
        with contextlib.suppress(DeadlineExceededError):
            client.wait_until_ready(timeout_s=1)
            return
    sys.exit(f"the server was not ready after {_START_TIMEOUT_S} s")
