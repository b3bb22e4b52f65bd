"""The command line as `service/__main__.py` makes it, with the two commands only."""

from __future__ import annotations

import argparse
import sys

from service.cli import chat, doctor

_COMMANDS = {"chat": chat, "doctor": doctor}


def run(*words: str) -> int:
    """Parse and run a command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="triptych")
    subparsers = parser.add_subparsers(dest="command", required=True)
    for command in _COMMANDS.values():
        command.add_parser(subparsers)
    args = parser.parse_args(words)
    return _COMMANDS[args.command].run(args)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
