"""The call of `triptych chat`: the request from the flags, and the exit code from the answer.

Uses the generated stubs, never a hand-written client. Reads all files before any network use.
Tested by tests/unit/cli/test_chat.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.cli.chat_output import AnswerPrinter, EventPrinter
from service.cli.client_call import print_problem, run_call
from service.cli.exit_codes import ExitCode
from service.cli.prompt_request import read_request, unsendable
from triptych.v1 import generation_service_pb2, generation_service_pb2_grpc, sampling_pb2

if TYPE_CHECKING:
    import argparse

    import grpc


def ask_and_print(args: argparse.Namespace) -> ExitCode:
    """Ask, print the answer or the problem, and tell how it went."""
    return run_call("chat", args.target, lambda channel: _ask(channel, args))


def _ask(channel: grpc.Channel, args: argparse.Namespace) -> ExitCode:
    """Send the request and print the events."""
    call = generation_service_pb2_grpc.GenerationServiceStub(channel).Generate(build_request(args))
    with EventPrinter() if args.json else AnswerPrinter() as printer:
        is_whole = False
        for response in call:
            printer.show(response)
            is_whole = response.HasField("completed")
    if not is_whole:
        print_problem(
            "chat", "the server ended the stream before the answer was complete; ask again"
        )
        return ExitCode.FAILED
    return ExitCode.OK


def build_request(args: argparse.Namespace) -> generation_service_pb2.GenerateRequest:
    """Return what to ask, and how to answer."""
    try:
        request = read_request(args)
        request.sampling.CopyFrom(
            sampling_pb2.SamplingParams(max_tokens=args.max_tokens, temperature=args.temperature)
        )
    except ValueError as error:
        raise unsendable(error) from error
    return request
