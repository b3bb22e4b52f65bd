"""`triptych chat`: asks a running server one question and streams its answer to the terminal.

The answer goes to stdout and nothing else does; spinner, usage and problems go to stderr. Uses the
generated stubs, never a hand-written client.

Exit codes: 0 answered, 1 the server refused, 2 usage, 3 no server reached, 130 interrupted,
141 stdout was closed.
Tested by tests/unit/cli/test_chat.py.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    sampling_pb2,
)

from service.cli.chat_output import AnswerPrinter, EventPrinter, print_problem
from service.cli.chat_problem import problem_of

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, REFUSED, USAGE, UNREACHABLE, INTERRUPTED, READER_GONE = 0, 1, 2, 3, 130, 141

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_MEDIA_FLAGS = ("--image", "--audio", "--video")


class UsageError(Exception):
    """The command line asks for something that is not there."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `chat` to the command line."""
    parser = subparsers.add_parser(
        "chat",
        help="ask a running server one question",
        description="Ask a running server one question and stream its answer.",
    )
    parser.add_argument("text", metavar="TEXT", help="the question; - reads it from stdin")
    for flag in _MEDIA_FLAGS:
        parser.add_argument(
            flag,
            metavar="FILE",
            dest="media",
            default=[],
            action=_AppendMedium,
            help="goes before the text, in the order of the command line; may be repeated",
        )
    parser.add_argument("--target", default="localhost:50051", help="the server (%(default)s)")
    parser.add_argument("--system", help="instructions for the model")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="the longest answer")
    parser.add_argument("--temperature", type=float, metavar="T", help="randomness, 0 and up")
    parser.add_argument("--json", action="store_true", help="print one JSON event a line")


def run(args: argparse.Namespace) -> int:
    """Ask, print the answer, and return the exit code."""
    try:
        return _ask(build_request(args), args)
    except UsageError as error:
        print_problem(str(error))
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on (`| head`); without this, Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE


def _ask(request: generation_service_pb2.GenerateRequest, args: argparse.Namespace) -> int:
    """Send the request and print the events; leaving early closes the channel, which cancels."""
    options = [
        ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ]
    with grpc.insecure_channel(args.target, options) as channel:
        call = generation_service_pb2_grpc.GenerationServiceStub(channel).Generate(request)
        try:
            with EventPrinter() if args.json else AnswerPrinter() as printer:
                for response in call:
                    printer.show(response)
        except grpc.RpcError as error:
            problem = problem_of(error, args.target)
            print_problem(problem.text)
            return UNREACHABLE if problem.is_unreachable else REFUSED
    return OK


def build_request(args: argparse.Namespace) -> generation_service_pb2.GenerateRequest:
    """Return what to ask: the media in the order of the command line, then the text."""
    parts = [_medium_part(kind, path) for kind, path in args.media]
    parts.append(conversation_pb2.Part(text=_question(args.text)))
    messages = [conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)]
    if args.system is not None:
        system = conversation_pb2.Part(text=args.system)
        messages.insert(
            0, conversation_pb2.Message(role=conversation_pb2.ROLE_SYSTEM, parts=[system])
        )
    return generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=messages),
        sampling=sampling_pb2.SamplingParams(
            max_tokens=args.max_tokens, temperature=args.temperature
        ),
    )


class _AppendMedium(argparse.Action):
    """Keeps one list for all media flags, so that their order is kept."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        kind = (option_string or "").removeprefix("--")
        namespace.media = [*namespace.media, (kind, values)]


def _question(text: str) -> str:
    # A shell's last newline is no part of the question.
    return sys.stdin.read().removesuffix("\n") if text == "-" else text


def _medium_part(kind: str, path: str) -> conversation_pb2.Part:
    try:
        source = media_pb2.MediaSource(data=Path(path).expanduser().read_bytes())
    except OSError as error:
        message = f"cannot read the {kind} {path}: {error.strerror}; check the name after --{kind}"
        raise UsageError(message) from error
    if kind == "image":
        return conversation_pb2.Part(image=media_pb2.ImagePart(source=source))
    if kind == "audio":
        return conversation_pb2.Part(audio=media_pb2.AudioPart(source=source))
    return conversation_pb2.Part(video=media_pb2.VideoPart(source=source))
