"""What every command that calls a server shares: the channel, and how a call may end.

Tested by tests/unit/cli/test_chat.py and test_render.py.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

import grpc

from service.cli.call_problem import problem_of
from service.cli.exit_codes import ExitCode

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
# Everything that could move the cursor or change the terminal, newline and tab left out.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class UsageError(Exception):
    """The command line asks for something that is not there."""


def run_call(command: str, target: str, call: Callable[[grpc.Channel], ExitCode]) -> ExitCode:
    """Make a call on a channel to `target`; print what goes wrong, and tell how it went.

    Leaving early closes the channel, which cancels what runs on it.
    """
    options = [
        ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ]
    try:
        with grpc.insecure_channel(target, options) as channel:
            return call(channel)
    except UsageError as error:
        print_problem(command, str(error))
        return ExitCode.USAGE
    except grpc.RpcError as error:
        problem = problem_of(error, target)
        print_problem(command, problem.text)
        return ExitCode.UNREACHABLE if problem.is_unreachable else ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on (`| head`); without this, Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.READER_GONE


def print_problem(command: str, text: str) -> None:
    """Print why a command did not do what it was asked, for a person."""
    print(f"triptych {command}: {for_terminal(text)}", file=sys.stderr)


def for_terminal(text: str) -> str:
    """Replace control characters, which a model or a server must not send to a terminal."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
