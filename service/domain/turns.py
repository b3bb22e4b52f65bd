"""Whose turn it is: a number of places, handed to the callers who wait for them.

A free place goes to the waiting caller that has the fewest; among equals, by turns. Of what one
caller waits for, the lowest `priority` comes first, then the oldest. So a caller that asks for
thousands of places delays another one's by one turn at most, and none waits for ever: the more the
others have, the sooner it is its turn.

Who wants several places gets them together, and nobody passes it meanwhile: it would wait for ever.

Tested by tests/unit/test_turns.py.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Ticket:
    """Stands for places that are wanted, or held."""

    caller: str
    places: int
    granted: Callable[[], None]
    is_granted: bool = False
    has_left: bool = False


@dataclass(slots=True)
class _Caller:
    held: int = 0
    turn: int = 0
    # By priority, then age.
    queue: list[tuple[int, int, Ticket]] = field(default_factory=list)


class Turns:
    """Belongs to one event loop."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.held = 0
        self._callers: dict[str, _Caller] = {}
        self._numbers = itertools.count()

    def ask(
        self, caller: str, granted: Callable[[], None], *, places: int = 1, priority: int = 0
    ) -> Ticket:
        """Wait for places, more than there are count as all; `granted` is called at their turn.

        That may be before this returns.
        """
        ticket = Ticket(caller, min(places, self.places), granted)
        waiting = self._callers.setdefault(caller, _Caller())
        if not waiting.queue:
            waiting.turn = next(self._numbers)
        heapq.heappush(waiting.queue, (priority, next(self._numbers), ticket))
        self._hand_out()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the places back, or wait for them no more. Harmless a second time."""
        if ticket.has_left:
            return
        ticket.has_left = True
        caller = self._callers[ticket.caller]
        if ticket.is_granted:
            caller.held -= ticket.places
            self.held -= ticket.places
        else:
            caller.queue = [entry for entry in caller.queue if entry[-1] is not ticket]
            heapq.heapify(caller.queue)
        if not caller.held and not caller.queue:
            del self._callers[ticket.caller]
        self._hand_out()

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for one place, and hold it while the block runs."""
        is_granted = asyncio.Event()
        ticket = self.ask(caller, is_granted.set)
        try:
            await is_granted.wait()
            yield
        finally:
            self.leave(ticket)

    def _hand_out(self) -> None:
        while waiting := [caller for caller in self._callers.values() if caller.queue]:
            caller = min(waiting, key=lambda one: (one.held, one.turn))
            ticket = caller.queue[0][-1]
            if self.held + ticket.places > self.places:
                return
            heapq.heappop(caller.queue)
            caller.turn = next(self._numbers)
            caller.held += ticket.places
            self.held += ticket.places
            ticket.is_granted = True
            ticket.granted()
