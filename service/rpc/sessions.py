"""Turns what a session's client sends into calls of the session, message by message.

Reading goes on while an answer is written: a `cancel` must be seen, and parts of the next turn may
come early. One message is read at a time, and all that a session keeps of them is bounded, so a
client that sends faster than it is answered is slowed down or refused, and never buffered.
Tested by tests/unit/rpc/test_converse.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from service.domain.conversation import InlineData, MediaPart, Part
from service.errors import InvalidRequestError
from service.rpc.conversations import to_turn_part
from service.rpc.violations import Violations
from service.sessions.dialogue import Dialogue
from service.sessions.session import Session
from triptych.v1 import conversation_pb2

if TYPE_CHECKING:
    from triptych.v1 import generation_service_pb2 as pb

# Copying and hashing so much takes a millisecond of the event loop.
_MAX_CHUNK_BYTES = 1 << 20
_MEDIA = ("image", "audio", "video")
_NOT_SET = "is not set; set one of config, part, commit, cancel, begin_part, chunk or end_part"

OpenDialogue = Callable[["pb.GenerateRequest"], Dialogue]


async def take_messages(
    messages: AsyncIterator[pb.ConverseRequest], session: Session, open_dialogue: OpenDialogue
) -> None:
    """Hand all messages to the session; a wrong one ends it. `open_dialogue` is for the config."""
    try:
        async for message in messages:
            await _take(message, session, open_dialogue)
    except Exception as error:  # noqa: BLE001 - whatever it is ends the session, and is raised there
        session.fail(error)
    else:
        session.finish()


async def _take(message: pb.ConverseRequest, session: Session, open_dialogue: OpenDialogue) -> None:
    match message.WhichOneof("message"):
        case "config":
            session.reject_second_config()
            await session.open(open_dialogue(message.config))
        case "part":
            await session.add_part(*_to_part(message.part, session.part_path))
        case "begin_part":
            session.begin_part(*_to_begun_part(message.begin_part, session.part_path))
        case "chunk":
            if not message.chunk:
                raise InvalidRequestError("chunk", "is empty; it needs at least one byte")
            _check_chunk("chunk", message.chunk)
            session.add_chunk(message.chunk)
        case "end_part":
            session.end_part()
        case "commit":
            session.commit()
        case "cancel":
            session.cancel()
        case None:
            raise InvalidRequestError("message", _NOT_SET)


def _to_part(message: conversation_pb2.Part, path: str) -> tuple[Part, int]:
    """Return a part, and how many bytes it takes beside those of its medium."""
    violations = Violations()
    part = to_turn_part(message, path, violations)
    violations.raise_if_any()
    if part is None:
        raise RuntimeError("a part that is not converted must be a violation")
    return part, message.ByteSize() - _medium_bytes(message)


def _to_begun_part(message: conversation_pb2.Part, path: str) -> tuple[MediaPart, int]:
    """Return a medium's part with the first of its bytes, maybe none, and what else it takes."""
    kind = message.WhichOneof("kind")
    if kind not in _MEDIA:
        raise InvalidRequestError("begin_part", "must be an image, audio or video")
    source = getattr(message, kind).source
    if source.WhichOneof("source") not in ("data", None):
        raise InvalidRequestError("begin_part", "its source must be data; it comes in pieces")
    first = source.data
    _check_chunk("begin_part", first)
    # In a part that comes whole it would be a mistake to have no bytes.
    source.data = first or b"\0"
    part, text_bytes = _to_part(message, path)
    if not isinstance(part, MediaPart):
        raise TypeError(f"{kind} was converted to {type(part)}")
    source_of_pieces = dataclasses.replace(part.source, origin=InlineData(first))
    return dataclasses.replace(part, source=source_of_pieces), text_bytes


def _medium_bytes(message: conversation_pb2.Part) -> int:
    kind = message.WhichOneof("kind")
    if kind not in _MEDIA:
        return 0
    source = getattr(message, kind).source
    return len(source.data) + len(source.data_uri)


def _check_chunk(message: str, chunk: bytes) -> None:
    if len(chunk) > _MAX_CHUNK_BYTES:
        raise InvalidRequestError(
            message, f"must have at most {_MAX_CHUNK_BYTES} bytes, got {len(chunk)}"
        )
