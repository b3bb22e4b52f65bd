"""`triptych chat`: asks a running server one question and streams its answer to the terminal.

The answer goes to stdout and nothing else does; spinner, usage and problems go to stderr. Here are
the flags only; `chat_call` makes the call.

Exit codes: 0 answered, 1 the server refused, 2 usage, 3 no server reached, 130 interrupted,
141 stdout was closed.
Tested by tests/unit/cli/test_chat.py.
"""

from __future__ import annotations

import argparse

from service.cli.prompt_flags import add_prompt_flags


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `chat` to the command line."""
    parser = subparsers.add_parser(
        "chat",
        help="ask a running server one question",
        description="Ask a running server one question and stream its answer.",
    )
    add_prompt_flags(parser)
    parser.add_argument("--max-tokens", type=int, metavar="N", help="the longest answer")
    parser.add_argument("--temperature", type=float, metavar="T", help="randomness, 0 and up")
    parser.add_argument("--json", action="store_true", help="print one JSON event a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, print the answer, and return the exit code."""
    # Imported late: `triptych doctor` must run where gRPC is missing, to say so.
    from service.cli.chat_call import ask_and_print

    return ask_and_print(args)
