"""Who may use the engine, and when: slots, a bounded number of those who wait, and turns.

A request *visits* from its arrival to its end. It waits while its prompt is made (media are fetched
and prepared), then for a slot; with a slot it is the engine's. The slot is taken last, so that a
request of text never waits behind the media of others, and no slot is held by a slow download.

- Slots: one for each output that a request wants at once. Little more than the engine can run is
  handed to it, for what it queues itself it serves first come, first served.
- Turns: a free slot goes to the waiting caller that has the fewest; among equals, by turns. Of
  one caller's requests the lowest `priority` comes first, then the oldest. So a caller that sends
  thousands delays another one's request by one turn at most.
- Bounds: when more wait than may, the newest request of the caller that has most waiting is
  refused: the arriving one, unless another caller has more waiting than its caller.

Who calls is told by service/rpc/caller.py; without `--caller-header` or client certificates
everybody is one caller, and all of this is first come, first served.

Tested by tests/unit/test_admission.py.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import Enum, auto

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
        self.slots = 0
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
        self._granted = asyncio.get_running_loop().create_future()
        self._admission._queue(self, prompt_tokens, outputs, priority)  # noqa: SLF001 - one thing
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
        self.state = _State.GONE
        self._refusal = error
        if self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())


class _Caller:
    """What one caller has here. `queue` are those of `waiting` that lack only a slot."""

    def __init__(self) -> None:
        self.waiting: dict[Visit, None] = {}  # in the order of arrival
        self.queue: list[tuple[int, int, Visit]] = []  # a heap: by priority, then arrival
        self.waiting_tokens = 0
        self.running = 0
        self.turn = 0


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
        self._running = 0
        self._numbers = itertools.count()
        self._is_closed = False

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self._running

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
                self._forget_waiting(visit)
                visit.refuse(_shutting_down())

    def _enter(self, visit: Visit) -> None:
        caller = self._callers.setdefault(visit.caller, _Caller())
        caller.waiting[visit] = None
        self._waiting += 1
        # Those who will have a slot as soon as they are prepared wait for nobody.
        actual = self._waiting + self._running - self.limits.max_running
        self._make_room(visit, _REQUESTS, self.limits.max_waiting_requests, actual)

    def _queue(self, visit: Visit, prompt_tokens: int, outputs: int, priority: int) -> None:
        caller = self._callers[visit.caller]
        visit.slots = min(outputs, self.limits.max_running)
        visit.prompt_tokens = prompt_tokens
        caller.waiting_tokens += prompt_tokens
        self._waiting_tokens += prompt_tokens
        if not caller.queue:
            caller.turn = next(self._numbers)
        visit.state = _State.QUEUED
        heapq.heappush(caller.queue, (priority, next(self._numbers), visit))
        self._grant()
        if visit.state is _State.RUNNING:
            return
        visit.progress.enter(Stage.ADMISSION)
        if self._waiting_tokens > prompt_tokens:  # one that waits alone may be of any length
            limit = self.limits.max_waiting_tokens
            self._make_room(visit, _TOKENS, limit, self._waiting_tokens)

    def _grant(self) -> None:
        """Hand out slots until none is free or nobody wants one."""
        while waiting := [caller for caller in self._callers.values() if caller.queue]:
            caller = min(waiting, key=lambda one: (one.running, one.turn))
            visit = caller.queue[0][-1]
            if self._running + visit.slots > self.limits.max_running:
                return
            caller.turn = next(self._numbers)
            self._forget_waiting(visit)
            caller.running += visit.slots
            self._running += visit.slots
            # It was forgotten with the last of those who wait.
            self._callers[visit.caller] = caller
            REQUESTS_ADMITTED.inc()
            visit.grant()

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
            self._forget_waiting(visit)
            visit.refuse(OverloadedError(measure.limit, limit, actual))
        self._grant()  # one of them may have waited, as the next, for several slots

    def _forget_waiting(self, visit: Visit) -> None:
        caller = self._callers[visit.caller]
        del caller.waiting[visit]
        self._waiting -= 1
        if visit.state is _State.QUEUED:
            caller.waiting_tokens -= visit.prompt_tokens
            self._waiting_tokens -= visit.prompt_tokens
            caller.queue = [entry for entry in caller.queue if entry[-1] is not visit]
            heapq.heapify(caller.queue)
        self._forget_caller(visit.caller)

    def _forget_caller(self, name: str) -> None:
        if not self._callers[name].waiting and not self._callers[name].running:
            del self._callers[name]

    def _leave(self, visit: Visit) -> None:
        if visit.state is _State.RUNNING:
            self._callers[visit.caller].running -= visit.slots
            self._running -= visit.slots
            self._forget_caller(visit.caller)
        elif visit.state is not _State.GONE:
            self._forget_waiting(visit)
        visit.state = _State.GONE
        self._grant()


def _shutting_down() -> ShuttingDownError:
    return ShuttingDownError("the server is stopping; use another replica")
