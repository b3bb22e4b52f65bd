"""The conversation that the flags of prompt_flags.py describe.

Files are read here, before any network use. Tested by tests/unit/cli/test_chat.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.client_call import UsageError
from triptych.v1 import conversation_pb2, generation_service_pb2, media_pb2

if TYPE_CHECKING:
    import argparse


def read_request(args: argparse.Namespace) -> generation_service_pb2.GenerateRequest:
    """Return what to ask: the media in the order of the command line, then the text.

    Raises UsageError for what is not there, and ValueError for what no message can hold.
    """
    parts = [_medium_part(kind, path) for kind, path in args.media]
    parts.append(conversation_pb2.Part(text=_question(args.text)))
    messages = [conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)]
    if args.system is not None:
        system = conversation_pb2.Part(text=args.system)
        messages.insert(
            0, conversation_pb2.Message(role=conversation_pb2.ROLE_SYSTEM, parts=[system])
        )
    return generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=messages)
    )


def unsendable(error: ValueError) -> UsageError:
    """Describe a number that no field can hold, or a text that is no UTF-8."""
    return UsageError(f"this cannot be sent: {error}; correct the flag or the text")


def _question(text: str) -> str:
    # A shell's last newline is no part of the question.
    return sys.stdin.read().removesuffix("\n") if text == "-" else text


def _medium_part(kind: str, place: str) -> conversation_pb2.Part:
    source = _source(kind, place)
    if kind == "image":
        return conversation_pb2.Part(image=media_pb2.ImagePart(source=source))
    if kind == "audio":
        return conversation_pb2.Part(audio=media_pb2.AudioPart(source=source))
    return conversation_pb2.Part(video=media_pb2.VideoPart(source=source))


def _source(kind: str, place: str) -> media_pb2.MediaSource:
    """Read a file here; a URL is fetched by the server, if it allows the host."""
    if place.startswith(("http://", "https://")):
        return media_pb2.MediaSource(url=place)
    try:
        return media_pb2.MediaSource(data=Path(place).expanduser().read_bytes())
    except OSError as error:
        message = f"cannot read the {kind} {place}: {error.strerror}; check the name after --{kind}"
        raise UsageError(message) from error
