"""Where a request is on its way, for the metrics page and for what a refusal says.

Whoever serves a request makes its `Progress`; whatever works for it, however deep, names the stage
that begins with `enter_stage` and need not know whose request it is. Work that belongs to no
request (to describe an upload) says the same and moves nothing.

Tested by tests/unit/telemetry/test_progress.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from service.telemetry.metrics import REQUESTS


class Stage(StrEnum):
    """What is done for a request. One that writes has its first token."""

    PROMPT = "preparing_prompt"
    FETCH = "fetching_media"
    MEDIA = "preparing_media"
    ADMISSION = "waiting_for_admission"
    ENGINE = "waiting_for_engine"
    WRITING = "writing"


class Progress:
    """One request's stage; `triptych_requests` counts it there until `leave`."""

    def __init__(self) -> None:
        self.stage = Stage.PROMPT
        self._is_counted = True
        REQUESTS.labels(self.stage).inc()

    def enter(self, stage: Stage) -> None:
        """Go on to a stage."""
        if self._is_counted and stage is not self.stage:
            REQUESTS.labels(self.stage).dec()
            REQUESTS.labels(stage).inc()
        self.stage = stage

    def leave(self) -> None:
        """Be counted no more; the stage stays known. Harmless a second time."""
        if self._is_counted:
            self._is_counted = False
            REQUESTS.labels(self.stage).dec()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Let `enter_stage` move this request; the block must not give events away meanwhile."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)


def enter_stage(stage: Stage) -> None:
    """Say that the request for which this code runs goes on to a stage."""
    progress = _CURRENT.get()
    if progress is not None:
        progress.enter(stage)


_CURRENT: ContextVar[Progress | None] = ContextVar("progress", default=None)
