"""`triptych doctor`: tells what this machine has of what a server needs, and the cure of each gap.

Starts nothing and changes nothing. Exit codes: 0 a server can start, 1 something required is
missing. Tested by tests/unit/cli/test_doctor.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from service.cli.doctor_checks import run_checks
from service.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    import argparse

    from service.cli.doctor_checks import Check


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor` to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="check what this machine has and lacks",
        description="Check what this machine has of what a server needs.",
    )
    parser.add_argument("--sidecar", metavar="FILE", help="the tokenizer sidecar's binary")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> ExitCode:
    """Run all checks, print each as it ends, and return the exit code."""
    checks: list[Check] = []
    for check in run_checks(args.sidecar):
        checks.append(check)
        if not args.json:
            print(line_of(check), flush=True)
    is_ready = all(check.is_ok or not check.is_required for check in checks)
    if args.json:
        print(json.dumps({"ok": is_ready, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        print("a server can start" if is_ready else "a server cannot start; see ✗")
    return ExitCode.OK if is_ready else ExitCode.FAILED


def line_of(check: Check) -> str:
    """Return such as `✗ sidecar: no file at build/sidecar → run make sidecar`."""
    mark = "✓" if check.is_ok else ("✗" if check.is_required else "!")
    cure = "" if check.is_ok else f" → {check.cure}"
    return f"{mark} {check.name}: {check.found}{cure}"
