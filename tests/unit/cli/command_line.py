"""The command line as a user starts it: `python -m tests.unit.cli.command_line chat ...`."""

from __future__ import annotations

import sys

from service.__main__ import main


def run(*words: str) -> int:
    """Run a command line; return its exit code."""
    return main(words)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
