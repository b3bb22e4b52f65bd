"""What is open at a moment: a test that begins and ends with the same has lost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path


def open_descriptors() -> int:
    return len(_targets())


def open_media() -> int:
    """Return how many encoded media this process has open."""
    return sum(target.startswith("/memfd:triptych-media") for target in _targets())


def open_sockets() -> int:
    return sum(target.startswith("socket:") for target in _targets())


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else run until something is so; for ever, if it never is."""
    while not condition():  # noqa: ASYNC110 - what is waited for is in the kernel or a thread
        await asyncio.sleep(0)


def _targets() -> list[str]:
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            targets.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # the listing's own
    return targets
