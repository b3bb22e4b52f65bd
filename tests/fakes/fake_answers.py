"""Answers in memory: "one two" for every request, which a test can hold after its first word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from service.domain.events import (
    Completed,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    Started,
    TextDelta,
    Timings,
    Usage,
)

WORDS = ("one ", "two")


class FakeAnswers:
    """Stands for the generator, and ends early as it does."""

    def __init__(self) -> None:
        self.requests: list[GenerationRequest] = []
        self.running = 0
        self.started = asyncio.Event()
        self.waits = asyncio.Event()  # set while an answer is held
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Answer one request."""
        self.requests.append(request)
        self.running += 1
        try:
            self.started.set()
            await self.may_start.wait()
            yield Started("request", "fake", 1, ())
            async for event in self._words(request):
                yield event
        finally:
            self.running -= 1

    async def _words(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        said = 0
        for word in WORDS:
            yield TextDelta(0, word)
            said += 1
            self.waits.set()
            await request.ending.unless_ended(self.may_go_on.wait())
            self.waits.clear()
            if request.ending.reason is not None:
                break
        yield OutputFinished(0, request.ending.reason or FinishReason.STOP)
        yield Completed(Usage(1, {}, 0, said), Timings())
