"""One readable line for each thing that happens; vLLM's own log only when it is asked for."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("triptych")


def configure_logging(level: str) -> None:
    """Send our log to standard error, at `level` (a name such as `info`)."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level.upper())


@contextmanager
def stage(title: str) -> Iterator[None]:
    """Log one line when a start-up stage begins and one with its time when it is done."""
    logger.info("%s …", title)
    started = time.monotonic()
    yield
    logger.info("%s: done in %.1f s", title, time.monotonic() - started)
