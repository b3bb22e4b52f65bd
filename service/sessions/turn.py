"""What a client is saying in a session: the parts of one turn, until it is complete.

A part comes whole, or is begun and comes in pieces. What is out of order is refused with the name
of the message that came, as the contract's `ConverseRequest` spells it.
Tested by tests/unit/sessions/test_session.py.
"""

from __future__ import annotations

from service.domain.conversation import (
    InlineData,
    MediaPart,
    Message,
    Part,
    Role,
    ToolResultPart,
)
from service.errors import InvalidRequestError
from service.ports import MediumInPieces, SessionMedia


class Turn:
    """The turn that is being said. The media that come with it are the session's at once."""

    def __init__(self, media: SessionMedia) -> None:
        self._media = media
        self._parts: list[Part] = []
        self._recording: MediumInPieces | None = None

    @property
    def part_count(self) -> int:
        """How many parts are complete; also the index of the next."""
        return len(self._parts)

    async def add(self, part: Part) -> None:
        """Add a whole part. Bytes that the client sent are kept now, other media when needed."""
        self._reject_recording("part")
        self._check_speaker("part", part)
        if isinstance(part, MediaPart) and part.source.is_sent:
            part = await self._media.keep(part)
        self._parts.append(part)

    def begin_part(self, part: MediaPart) -> None:
        """Begin a part that comes in pieces; the bytes that its source has are the first."""
        self._reject_recording("begin_part")
        self._check_speaker("begin_part", part)
        self._recording = self._media.begin(part)
        origin = part.source.origin
        if isinstance(origin, InlineData) and origin.data:
            self._recording.write(origin.data)

    def add_chunk(self, chunk: bytes) -> None:
        """Add more bytes to the part that was begun."""
        if self._recording is None:
            raise InvalidRequestError("chunk", "belongs to no part; send begin_part first")
        self._recording.write(chunk)

    def end_part(self) -> None:
        """Complete the part that was begun."""
        if self._recording is None:
            raise InvalidRequestError("end_part", "no part was begun; send begin_part first")
        self._parts.append(self._recording.finish())
        self._recording = None

    def complete(self) -> Message | None:
        """Return what was said, and begin anew; None: nothing was."""
        self._reject_recording("commit")
        parts, self._parts = tuple(self._parts), []
        return Message(_speaker_of(parts[0]), parts) if parts else None

    def reject_leftovers(self) -> None:
        """Refuse to end here when something was said that nobody would answer."""
        if self._recording is not None:
            raise InvalidRequestError("end_part", "is missing: the client's stream ended before it")
        if self._parts:
            raise InvalidRequestError(
                "commit", "is missing: the client's stream ended with parts that wait for it"
            )

    def _check_speaker(self, message: str, part: Part) -> None:
        if self._parts and _speaker_of(part) is not _speaker_of(self._parts[0]):
            raise InvalidRequestError(message, "a turn is the user's, or has tool results only")

    def _reject_recording(self, message: str) -> None:
        if self._recording is not None:
            raise InvalidRequestError(
                message, "the part that was begun is not complete; send end_part first"
            )


def _speaker_of(part: Part) -> Role:
    return Role.TOOL if isinstance(part, ToolResultPart) else Role.USER
