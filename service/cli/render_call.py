"""The call of `triptych render`: the request from the flags, and the exit code from the limits.

Tested by tests/unit/cli/test_render.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToJson

from service.cli.client_call import run_call
from service.cli.exit_codes import ExitCode
from service.cli.prompt_request import read_request, unsendable
from service.cli.render_output import broken_limits, coloured_prompt, size_lines
from triptych.v1 import tokenizer_service_pb2, tokenizer_service_pb2_grpc

if TYPE_CHECKING:
    import argparse

    import grpc


def render_and_print(args: argparse.Namespace) -> ExitCode:
    """Ask, print the prompt or the problem, and tell how it went."""
    return run_call("render", args.target, lambda channel: _render(channel, args))


def _render(channel: grpc.Channel, args: argparse.Namespace) -> ExitCode:
    try:
        request = tokenizer_service_pb2.RenderPromptRequest(request=read_request(args))
    except ValueError as error:
        raise unsendable(error) from error
    rendered = tokenizer_service_pb2_grpc.TokenizerServiceStub(channel).RenderPrompt(request)
    if args.json:
        print(
            MessageToJson(
                rendered, preserving_proto_field_name=True, indent=None, ensure_ascii=False
            ),
            flush=True,
        )
    else:
        print(coloured_prompt(rendered), flush=True)
        for line in size_lines(rendered):
            print(line, file=sys.stderr)
    return ExitCode.FAILED if broken_limits(rendered) else ExitCode.OK
