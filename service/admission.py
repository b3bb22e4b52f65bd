"""Who may use the engine, and when: slots, a bounded number of those who wait, and turns.

A request *visits* from its arrival to its end. It waits while its prompt is made (media are fetched
and prepared), then for a slot; with a slot it is the engine's. The slot is taken last, so that a
request of text never waits behind the media of others, and no slot is held by a slow download.

- Slots: one for each output that a request wants at once. Little more than the engine can run is
  handed to it, for what it queues itself it serves first come, first served.
- Turns: service/domain/turns.py shares the slots between callers. Of one caller's requests the
  lowest `priority` comes first, then the oldest.
- Bounds: when more wait than may, the newest request of the caller that has most waiting is
  refused: the arriving one, unless another caller has more waiting than its caller.

Who calls is told by service/rpc/caller.py; without `--caller-header` or client certificates
everybody is one caller, and all of this is first come, first served.

Tested by tests/unit/test_admission.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from service.domain.turns import Ticket, Turns
from service.errors import (
    DeadlineExceededError,
    OverloadedError,
    ShuttingDownError,
    TriptychError,
)
from service.telemetry.metrics import REQUESTS_ADMITTED, REQUESTS_REFUSED
from service.telemetry.progress import Progress, Stage


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Outputs that run at once; requests beyond them; tokens of prompts that wait for a slot."""

    max_running: int
    max_waiting_requests: int
    max_waiting_tokens: int

    @classmethod
    def of_engine(
        cls, max_sequences: int, kv_cache_tokens: int, max_waiting_requests: int
    ) -> AdmissionLimits:
        """Return bounds for an engine that writes so many outputs at once.

        It is given a quarter more, so that a place that becomes free is taken by the engine's own
        next step. What waits is at most what fills its cache twice: more would wait for longer
        than anyone does.
        """
        max_running = max_sequences + -(-max_sequences // 4)
        return cls(max_running, max_waiting_requests, max(2 * kv_cache_tokens, _LEAST_TOKENS))


# For engines without a cache, or with a small one.
_LEAST_TOKENS = 1 << 16


class _State(Enum):
    PREPARING = auto()
    QUEUED = auto()
    RUNNING = auto()
    GONE = auto()


class Visit:
    """One request, from its arrival to its end. Made by `Admission.visit`."""

    def __init__(self, admission: Admission, caller: str) -> None:
        self.caller = caller
        self.progress = Progress()
        self.state = _State.PREPARING
        self.prompt_tokens = 0
        self.ticket: Ticket | None = None
        self._admission = admission
        self._granted: asyncio.Future[None] | None = None
        self._scope: asyncio.Timeout | None = None
        self._refusal: TriptychError | None = None

    @asynccontextmanager
    async def bounded(self, until: float | None) -> AsyncIterator[None]:
        """Make the prompt and take the slot in this block, which ends when that comes to nothing.

        Raises OverloadedError when there is no room for both this visit and another caller's,
        ShuttingDownError, and DeadlineExceededError at `until`, a time of the event loop.
        """
        with self.progress.followed():
            try:
                async with asyncio.timeout_at(until) as self._scope:
                    yield
            except TimeoutError:
                if self._scope is None or not self._scope.expired():
                    raise
                raise (self._refusal or DeadlineExceededError(self.progress.stage)) from None
            finally:
                self._scope = None

    async def take_slot(self, prompt_tokens: int, *, outputs: int = 1, priority: int = 0) -> None:
        """Wait for this request's turn; raises OverloadedError."""
        if self._refusal is not None:
            raise self._refusal
        self.prompt_tokens = prompt_tokens
        self._granted = asyncio.get_running_loop().create_future()
        self._admission._queue(self, outputs, priority)  # noqa: SLF001 - two halves of one thing
        await self._granted

    def leave(self) -> None:
        """Give the slot to the next one. Harmless a second time."""
        self._admission._leave(self)  # noqa: SLF001 - two halves of one thing
        self.progress.leave()

    def grant(self) -> None:
        """Go on: the slot is this visit's."""
        self.state = _State.RUNNING
        self.progress.enter(Stage.ENGINE)
        if self._granted is not None and not self._granted.done():
            self._granted.set_result(None)

    def refuse(self, error: TriptychError) -> None:
        """End the block of `bounded` with an error."""
        self._refusal = error
        if self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())


class _Caller:
    """What one caller has waiting: being prepared or without a slot."""

    def __init__(self) -> None:
        self.waiting: dict[Visit, None] = {}  # in the order of arrival
        self.waiting_tokens = 0


@dataclass(frozen=True, slots=True)
class _Measure:
    """What is bounded of those who wait."""

    limit: str
    of_caller: Callable[[_Caller], int]
    of_visit: Callable[[Visit], int]


_REQUESTS = _Measure("max_waiting_requests", lambda caller: len(caller.waiting), lambda _: 1)
_TOKENS = _Measure(
    "max_waiting_tokens", lambda caller: caller.waiting_tokens, lambda visit: visit.prompt_tokens
)


class Admission:
    """Belongs to one event loop."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self.limits = limits
        self._callers: dict[str, _Caller] = {}
        self._waiting = 0
        self._waiting_tokens = 0
        self._slots = Turns(limits.max_running)
        self._is_closed = False

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self._slots.held

    @property
    def waiting(self) -> int:
        """How many requests have no slot."""
        return self._waiting

    @contextmanager
    def visit(self, caller: str) -> Iterator[Visit]:
        """Let a request in for as long as the block runs, without a slot at first.

        Raises OverloadedError and ShuttingDownError.
        """
        if self._is_closed:
            raise _shutting_down()
        visit = Visit(self, caller)
        try:
            self._enter(visit)
            yield visit
        finally:
            visit.leave()

    def close(self) -> None:
        """Refuse those who wait, and all who come; those who run go on.

        Nothing has been given to those who wait, so another replica can take them at once.
        """
        self._is_closed = True
        for caller in list(self._callers.values()):
            for visit in list(caller.waiting):
                self._refuse(visit, _shutting_down())

    def _enter(self, visit: Visit) -> None:
        caller = self._callers.setdefault(visit.caller, _Caller())
        caller.waiting[visit] = None
        self._waiting += 1
        # Those who will have a slot as soon as they are prepared wait for nobody.
        actual = self._waiting + self.running - self.limits.max_running
        self._make_room(visit, _REQUESTS, self.limits.max_waiting_requests, actual)

    def _queue(self, visit: Visit, outputs: int, priority: int) -> None:
        self._callers[visit.caller].waiting_tokens += visit.prompt_tokens
        self._waiting_tokens += visit.prompt_tokens
        visit.state = _State.QUEUED

        def run() -> None:
            self._forget_waiting(visit)
            REQUESTS_ADMITTED.inc()
            visit.grant()

        visit.ticket = self._slots.ask(visit.caller, run, places=outputs, priority=priority)
        if visit.ticket.is_granted:
            return
        visit.progress.enter(Stage.ADMISSION)
        if self._waiting_tokens > visit.prompt_tokens:  # one that waits alone may be of any length
            limit = self.limits.max_waiting_tokens
            self._make_room(visit, _TOKENS, limit, self._waiting_tokens)

    def _make_room(self, newcomer: Visit, measure: _Measure, limit: int, actual: int) -> None:
        """Refuse the newest of those who have most waiting, until no more wait than may.

        Nobody is refused for a newcomer that cannot stay all the same: then that one is.
        """
        excess = actual - limit
        shares = {name: measure.of_caller(one) for name, one in self._callers.items()}
        refused: list[Visit] = []
        while excess > 0:
            largest = max(shares, key=lambda name: shares[name])
            if shares[largest] <= shares[newcomer.caller]:
                REQUESTS_REFUSED.labels(measure.limit).inc()
                raise OverloadedError(measure.limit, limit, actual)
            visits = reversed(self._callers[largest].waiting)
            victim = next(one for one in visits if measure.of_visit(one) and one not in refused)
            refused.append(victim)
            shares[largest] -= measure.of_visit(victim)
            excess -= measure.of_visit(victim)
        for visit in refused:
            REQUESTS_REFUSED.labels(measure.limit).inc()
            self._refuse(visit, OverloadedError(measure.limit, limit, actual))

    def _refuse(self, visit: Visit, error: TriptychError) -> None:
        self._leave(visit)
        visit.refuse(error)

    def _leave(self, visit: Visit) -> None:
        if visit.state in (_State.PREPARING, _State.QUEUED):
            self._forget_waiting(visit)
        visit.state = _State.GONE
        if visit.ticket is not None:
            self._slots.leave(visit.ticket)

    def _forget_waiting(self, visit: Visit) -> None:
        caller = self._callers[visit.caller]
        del caller.waiting[visit]
        self._waiting -= 1
        if visit.state is _State.QUEUED:
            caller.waiting_tokens -= visit.prompt_tokens
            self._waiting_tokens -= visit.prompt_tokens
        if not caller.waiting:
            del self._callers[visit.caller]


def _shutting_down() -> ShuttingDownError:
    return ShuttingDownError("the server is stopping; use another replica")
