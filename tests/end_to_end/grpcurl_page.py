"""The examples of docs/grpcurl.md, run by a shell as they stand there.

An example is a block of bash and a block of what it prints: some lines of it, in their order. Those
behind `<!-- server: NAME -->` need another server than `make serve` starts; who has one runs them.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "grpcurl.md"
_EXAMPLE = re.compile(
    r"(?:<!-- server: (?P<server>\w+) -->\n)?"
    r"```bash\n(?P<command>.*?)```\n```\n(?P<printed>.*?)```",
    re.DOTALL,
)
_TIMEOUT_S = 120


class Example(NamedTuple):
    """A command, and lines of what it prints."""

    command: str
    printed: list[str]


def examples(server: str = "") -> list[Example]:
    """Return those for a server of that name."""
    return [
        Example(found["command"], found["printed"].splitlines())
        for found in _EXAMPLE.finditer(PAGE.read_text())
        if (found["server"] or "") == server
    ]


def check(example: Example, address: str) -> None:
    """Run it against the server at `address`, and find each line behind the one before."""
    printed = _run(example.command, address)
    at = 0
    for line in example.printed:
        found = printed.find(line, at)
        assert found >= 0, f"no {line!r} behind character {at} of:\n{printed}"
        at = found + len(line)


def _run(command: str, address: str) -> str:
    target = f"unix://{address.removeprefix('unix:')}" if address.startswith("unix:") else address
    done = subprocess.run(
        ["bash", "-c", command.replace("localhost:50051", target)],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{ROOT / 'build' / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return done.stdout
