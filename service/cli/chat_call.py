"""The call of `triptych chat`: the request from the flags, and the exit code from the answer.

Uses the generated stubs, never a hand-written client. Reads all files before any network use.
Tested by tests/unit/cli/test_chat.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from service.cli.chat_output import AnswerPrinter, EventPrinter, print_problem
from service.cli.chat_problem import problem_of
from service.cli.exit_codes import ExitCode
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    sampling_pb2,
)

if TYPE_CHECKING:
    import argparse

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024


class UsageError(Exception):
    """The command line asks for something that is not there."""


def ask_and_print(args: argparse.Namespace) -> ExitCode:
    """Ask, print the answer or the problem, and tell how it went."""
    try:
        return _ask(_read_request(args), args)
    except UsageError as error:
        print_problem(str(error))
        return ExitCode.USAGE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on (`| head`); without this, Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.READER_GONE


def _ask(request: generation_service_pb2.GenerateRequest, args: argparse.Namespace) -> ExitCode:
    """Send the request and print the events; leaving early closes the channel, which cancels."""
    options = [
        ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ]
    with grpc.insecure_channel(args.target, options) as channel:
        call = generation_service_pb2_grpc.GenerationServiceStub(channel).Generate(request)
        try:
            with EventPrinter() if args.json else AnswerPrinter() as printer:
                is_whole = False
                for response in call:
                    printer.show(response)
                    is_whole = response.HasField("completed")
        except grpc.RpcError as error:
            problem = problem_of(error, args.target)
            print_problem(problem.text)
            return ExitCode.UNREACHABLE if problem.is_unreachable else ExitCode.FAILED
    if not is_whole:
        print_problem("the server ended the stream before the answer was complete; ask again")
        return ExitCode.FAILED
    return ExitCode.OK


def _read_request(args: argparse.Namespace) -> generation_service_pb2.GenerateRequest:
    try:
        return build_request(args)
    except ValueError as error:
        # A number that no field can hold, or a text that is no UTF-8.
        message = f"this cannot be sent: {error}; correct the flag or the text"
        raise UsageError(message) from error


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
