"""Ends an answer a little before its client gives up, so that what was written still arrives.

A client's deadline ends its call whether or not anything was sent. So the server's own end comes
before: an answer that has begun is completed with the reason DEADLINE, and for one of which
nothing was written there is a status that says where the time went.

Tested by tests/unit/test_deadline.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from service.domain.ending import Ending
from service.domain.events import FinishReason

# At most this share of a call's time is kept back: short deadlines are for short answers.
_LARGEST_SHARE = 0.25


def answer_by(deadline: float | None, margin_s: float) -> float | None:
    """Return when an answer must have ended for its call's deadline; None: never.

    Both are times of the event loop. `margin_s` is what the end may take to reach the client; 0
    leaves deadlines to gRPC.
    """
    if deadline is None or not margin_s:
        return None
    left_s = deadline - asyncio.get_running_loop().time()
    return deadline - min(margin_s, max(left_s, 0.0) * _LARGEST_SHARE)


@contextmanager
def ended_at(deadline: float | None, ending: Ending | None) -> Iterator[None]:
    """End the answer at a time of the event loop, unless the block is over before."""
    if deadline is None or ending is None:
        yield
        return
    timer = asyncio.get_running_loop().call_at(deadline, ending.end, FinishReason.DEADLINE)
    try:
        yield
    finally:
        timer.cancel()
