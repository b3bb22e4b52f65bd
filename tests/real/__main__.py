"""`make real`: what real models say to real questions.

What the registries do not give is skipped, and shown as SKIPPED. Exit code 0: all that could be
fetched was right. 1: something was wrong, or nothing could be fetched.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest


class _Results:
    """Counts how the tests ended."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the end of one test; one that is skipped or broken before it runs has none."""
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1


def main() -> int:
    """Run the tests that need real weights, and say what came of it."""
    results = _Results()
    # -s: what the models say is shown as it comes; -rs: why something is skipped.
    arguments = [str(Path(__file__).parent), "-m", "real", "-s", "-rs", "-q", *sys.argv[1:]]
    exit_code = pytest.main(arguments, plugins=[results])
    shown, skipped = results.counts["passed"], results.counts["skipped"]
    print(f"real: {shown} shown, {results.counts['failed']} failed, {skipped} SKIPPED")
    return int(exit_code) or int(not shown)


if __name__ == "__main__":
    sys.exit(main())
