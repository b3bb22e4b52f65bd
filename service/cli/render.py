"""`triptych render`: shows the prompt that a running server would make of a question.

The prompt goes to stdout, in colour where that is a terminal: what the model's format wrote, what
the user wrote, and the places of media with the tokens that they take. How long it is, and which
limit it breaks, goes to stderr. Nothing is answered. Here are the flags only; `render_call` makes
the call.

Exit codes: 0 the prompt fits, 1 it breaks a limit or the server refused, 2 usage, 3 no server
reached, 130 interrupted, 141 stdout was closed.
Tested by tests/unit/cli/test_render.py.
"""

from __future__ import annotations

import argparse

from service.cli.prompt_flags import add_prompt_flags


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `render` to the command line."""
    parser = subparsers.add_parser(
        "render",
        help="show the prompt that a running server makes of a question",
        description="Show the prompt that a running server makes of a question, and its size.",
    )
    add_prompt_flags(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, with all ids")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, print the prompt, and return the exit code."""
    # Imported late: `triptych doctor` must run where gRPC is missing, to say so.
    from service.cli.render_call import render_and_print

    return render_and_print(args)
