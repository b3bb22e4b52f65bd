"""The repository as the architecture tests see it: its files, and the pinned tools run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TOOLS = Path(sys.executable).parent


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the root, with the tools of this very environment first on the path."""
    variables = {
        **os.environ,
        "VENV": sys.prefix,
        "PATH": f"{_TOOLS}{os.pathsep}{os.environ['PATH']}",
        **environment,
    }
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


def output_of_failure(*command: str, **environment: str) -> str:
    """Run a command and return nothing when it succeeds, or else all that it printed."""
    done = run(*command, **environment)
    return (
        "" if done.returncode == 0 else f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    )


def own_files(*suffixes: str) -> list[Path]:
    """Return the hand-written files that are tracked, or would be by the next `git add`."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.split("\n")
    return [
        ROOT / name
        for name in listed
        if name
        and not name.startswith("gen/")
        and name.endswith(suffixes or ("",))
        and (ROOT / name).is_file()
    ]


def text_of(path: Path) -> str:
    """Return a file's text, or nothing for one that is not text."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8", errors="replace")
