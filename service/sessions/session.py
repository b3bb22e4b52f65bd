"""The way of one session: what its client says, and what it is answered, turn by turn.

Two sides meet here. What the client sends comes in through methods, one for each kind of message
and in the client's order, also while an answer runs; `answers` gives the events of all answers. A
turn that is committed while an answer runs waits for its end, so that parts of the next turn can be
sent, or recorded, early. How much may wait is bounded as all that is said in the session is.

What ends a session: the client's last word, when all its turns are answered; its first mistake, or
a turn that fails, at once; a limit or the server's stop, when the answer that runs has ended.
Tested by tests/unit/sessions/test_session.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from service.domain.conversation import MediaPart, Message, Part
from service.domain.ending import Ending
from service.domain.events import Event, FinishReason
from service.domain.limits import SessionLimits
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    SessionLimitExceededError,
    ShuttingDownError,
)
from service.sessions.dialogue import Dialogue
from service.sessions.turn import Turn


class Session:
    """One session. Belongs to one event loop."""

    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self._dialogue: Dialogue | None = None
        self._turn: Turn | None = None
        self._committed: deque[Message | None] = deque()
        self._message_count = 0
        self._part_count = 0
        self._text_bytes = 0
        self._has_committed = False
        self._ending: Ending | None = None
        self._failure: Exception | None = None
        self._is_finished = False
        self._is_draining = False
        self._changed = asyncio.Event()
        self._quiet_since = _now()
        self._ends_at = _now() + limits.total_s

    @property
    def part_path(self) -> str:
        """Where the next part will stand in the conversation, as errors about it name it."""
        count = self._turn.part_count if self._turn else 0
        return f"conversation.messages[{self._message_count}].parts[{count}]"

    async def open(self, dialogue: Dialogue) -> None:
        """Begin, with the opening that the client wants; the first message."""
        self.reject_second_config()
        self._heard()
        await dialogue.keep_sent_media()
        self._dialogue = dialogue
        self._turn = Turn(dialogue.media)
        self._message_count = len(dialogue.messages)
        self._part_count = sum(len(message.parts) for message in dialogue.messages)

    def reject_second_config(self) -> None:
        """Refuse to begin again."""
        if self._dialogue is not None:
            raise InvalidRequestError("config", "came a second time; a session has one")

    async def add_part(self, part: Part, text_bytes: int) -> None:
        """Add a whole part to the turn; it takes `text_bytes` beside a medium's own bytes."""
        turn = self._heard_in_turn("part")
        self._count_part("part", text_bytes)
        await turn.add(part)

    def begin_part(self, part: MediaPart, text_bytes: int) -> None:
        """Begin a part that comes in pieces."""
        turn = self._heard_in_turn("begin_part")
        self._count_part("begin_part", text_bytes)
        turn.begin_part(part)

    def add_chunk(self, chunk: bytes) -> None:
        """Add a piece to the part that was begun."""
        self._heard_in_turn("chunk").add_chunk(chunk)

    def end_part(self) -> None:
        """Complete the part that was begun."""
        self._heard_in_turn("end_part").end_part()

    def commit(self) -> None:
        """Have the turn answered, after those that wait already."""
        said = self._heard_in_turn("commit").complete()
        may_be_empty = self._dialogue is not None and self._dialogue.asks
        if said is None and (self._has_committed or not may_be_empty):
            raise InvalidRequestError("commit", "there is nothing to answer; send a part first")
        self._has_committed = True
        self._committed.append(said)
        self._message_count += 1 if said is None else 2  # the answer is one too
        self._part_count += 1

    def cancel(self) -> None:
        """Stop the answer that runs. Harmless when none does: it may just have ended."""
        self._heard_in_turn("cancel")
        if self._ending is not None:
            self._ending.end(FinishReason.CANCELLED)

    def finish(self) -> None:
        """Take note that the client has said its last word."""
        self._heard()
        self._is_finished = True

    def fail(self, error: Exception) -> None:
        """End the session at once with an error, which `answers` raises; the first counts."""
        self._failure = self._failure or error
        if self._ending is not None:
            self._ending.end(FinishReason.ABORTED)
        self._changed.set()

    def drain(self) -> None:
        """End the session with ShuttingDownError as soon as no answer runs."""
        self._is_draining = True
        self._changed.set()

    async def answers(self) -> AsyncGenerator[tuple[int, Event], None]:
        """Give all answers' events, each with its turn's index, until the session ends.

        Raises what a turn's request raises, what `fail` was told, SessionLimitExceededError, and
        ShuttingDownError.
        """
        turn_index = 0
        while await self._wait_for_turn():
            async with aclosing(self._answer(self._committed.popleft())) as events:
                async for event in events:
                    yield turn_index, event
            turn_index += 1
            self._quiet_since = _now()

    async def _answer(self, said: Message | None) -> AsyncGenerator[Event, None]:
        if self._dialogue is None:
            raise RuntimeError("a turn was committed before the session was opened")
        self._ending = Ending()
        try:
            async with aclosing(self._dialogue.answer(said, self._ending)) as events:
                async for event in events:
                    self._raise_failure()
                    yield event
        finally:
            self._ending = None

    async def _wait_for_turn(self) -> bool:
        """Return True when there is a turn to answer, and False when there will be none."""
        while True:
            self._changed.clear()
            self._raise_failure()
            if self._is_finished and not self._committed:
                self._reject_unanswered()
                return False
            if self._is_draining:
                raise ShuttingDownError("the server is stopping; use another replica")
            self._reject_late()
            if self._committed:
                return True
            until = min(self._quiet_since + self._limits.idle_s, self._ends_at)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._changed.wait()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _reject_unanswered(self) -> None:
        if self._turn is None:
            raise InvalidRequestError("config", "is missing: the client's stream ended before it")
        self._turn.reject_leftovers()

    def _reject_late(self) -> None:
        now = _now()
        if now >= self._ends_at:
            raise SessionLimitExceededError("session_seconds", self._limits.total_s)
        if not self._committed and now >= self._quiet_since + self._limits.idle_s:
            raise SessionLimitExceededError("session_idle_seconds", self._limits.idle_s)

    def _heard(self) -> None:
        self._quiet_since = _now()
        self._changed.set()

    def _heard_in_turn(self, message: str) -> Turn:
        self._heard()
        if self._turn is None:
            raise InvalidRequestError(message, "came before config, which must be first")
        return self._turn

    def _count_part(self, message: str, text_bytes: int) -> None:
        limits = self._limits
        self._part_count += 1
        self._text_bytes += text_bytes
        if self._part_count > limits.parts:
            raise LimitExceededError(message, "session_parts", limits.parts, self._part_count)
        if self._text_bytes > limits.text_bytes:
            raise LimitExceededError(
                message, "session_text_bytes", limits.text_bytes, self._text_bytes
            )


def _now() -> float:
    return asyncio.get_running_loop().time()
