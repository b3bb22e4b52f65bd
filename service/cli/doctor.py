"""`triptych doctor`: tells what this machine has of what a server needs, and the cure of each gap.

With `--target` or `--model` it tells how a model's memory is split instead, and what would give it
more requests at once. Starts nothing and changes nothing. Exit codes: 0 a server can start (or the
model fits), 1 something required is missing (or it does not), 2 usage, 3 no server reached.
Tested by tests/unit/cli/test_doctor.py and test_doctor_memory.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from service.cli.doctor_checks import run_checks
from service.cli.doctor_memory import (
    add_memory_flags,
    checks_of_checkpoint,
    checks_of_server,
    engine_flags_of,
)
from service.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from service.cli.doctor_checks import Check


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor` to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="check what this machine has and lacks",
        description="Check what this machine has of what a server needs, or how a model's memory "
        "is split.",
    )
    parser.add_argument("--sidecar", metavar="FILE", help="the tokenizer sidecar's binary")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_memory_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> ExitCode:
    """Look, print each finding, and return the exit code."""
    if args.target is not None:
        # Imported late: without --target, this must run where gRPC is missing, to say so.
        from service.cli.client_call import run_call

        return run_call(
            "doctor", args.target, lambda channel: _report(args, checks_of_server(channel))
        )
    if args.model is not None:
        return _report(args, checks_of_checkpoint(args.model, engine_flags_of(args)))
    return _report(
        args, run_checks(args.sidecar), "a server can start", "a server cannot start; see ✗"
    )


def _report(
    args: argparse.Namespace,
    found: Iterable[Check],
    good: str = "it fits",
    bad: str = "it does not fit; see ✗",
) -> ExitCode:
    """Print each check as it ends, then what they say together."""
    checks: list[Check] = []
    for check in found:
        checks.append(check)
        if not args.json:
            print(line_of(check), flush=True)
    is_ready = all(check.is_ok or not check.is_required for check in checks)
    if args.json:
        print(json.dumps({"ok": is_ready, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        print(good if is_ready else bad)
    return ExitCode.OK if is_ready else ExitCode.FAILED


def line_of(check: Check) -> str:
    """Return such as `✗ sidecar: no file at build/sidecar → run make sidecar`."""
    mark = "✓" if check.is_ok else ("✗" if check.is_required else "!")
    if check.is_advice:
        mark = "→"
    cure = "" if check.is_ok else f" → {check.cure}"
    return f"{mark} {check.name}: {check.found}{cure}"
