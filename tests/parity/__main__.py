"""`make tokenizer-parity`: every real vocabulary, one line each; fails where anything differs."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.parity.comparison import Comparison, Differences
from tests.parity.inputs import inputs_for
from tests.parity.other_forms import OtherForm, compare_form, other_forms
from tests.parity.real_vocabularies import (
    FetchError,
    Vocabulary,
    real_vocabularies,
    vocabularies_in,
)
from tests.unit.tokenizer.running_sidecar import connect, serve


def main() -> int:
    """Compare all vocabularies that are asked for."""
    parser = argparse.ArgumentParser(prog="tokenizer-parity", description=__doc__)
    parser.add_argument("--folder", type=Path, help="also each */tokenizer.json of this folder")
    parser.add_argument("--only", nargs="*", help="only the vocabularies of these names")
    arguments = parser.parse_args()
    try:
        runs = [
            (name, run) for name, run in _runs(arguments.folder) if _is_asked(name, arguments.only)
        ]
    except FetchError as exc:  # of the folder
        parser.error(str(exc))
    if not runs:
        print(f"tokenizer-parity: no vocabulary is named {' or '.join(arguments.only or ())}")
        return 2
    failures = [name for name, run in runs if not _show(name, run)]
    if failures:
        print(f"tokenizer-parity: failed: {', '.join(failures)}")
        return 1
    print("tokenizer-parity: no difference anywhere")
    return 0


def _is_asked(name: str, only: list[str] | None) -> bool:
    return not only or name in only


def _runs(folder: Path | None) -> Iterator[tuple[str, Callable[[], Differences]]]:
    """Yield each name, and what compares it."""
    for name, vocabulary in real_vocabularies().items():
        yield name, partial(_compare_vocabulary, vocabulary)
    for name, path in (vocabularies_in(folder) if folder is not None else {}).items():
        yield name, partial(_compare, path)
    for name, form in other_forms().items():
        yield name, partial(_compare_form, form)


def _compare_vocabulary(vocabulary: Vocabulary) -> Differences:
    return _compare(vocabulary.fetch())


def _compare(path: Path) -> Differences:
    with tempfile.TemporaryDirectory() as folder, serve(path, Path(folder) / "s") as sidecar:
        return Comparison(sidecar, path).run(inputs_for(sidecar.reference))


def _compare_form(form: OtherForm) -> Differences:
    with tempfile.TemporaryDirectory() as folder, connect(form.fetch(), Path(folder) / "s") as stub:
        return compare_form(stub, form.load_reference())


def _show(name: str, run: Callable[[], Differences]) -> bool:
    """Compare one vocabulary, print its line, and return whether all agreed."""
    started = time.monotonic()
    try:
        found = run()
    except FetchError as exc:
        print(f"{name:18} NOT FETCHED: {exc}", flush=True)
        return False
    except Exception as exc:  # noqa: BLE001 - whatever is wrong with one, the others are compared
        print(f"{name:18} FAILED: {type(exc).__name__}: {ascii(str(exc))[:500]}", flush=True)
        return False
    count = found.differing.total()
    print(
        f"{name:18} {found.compared['ids']:6,} texts {found.compared.total():8,} comparisons "
        f"{count:6,} differences {time.monotonic() - started:6.1f} s",
        flush=True,
    )
    for kind, differing in found.differing.items():
        print(f"  {kind}: {differing:,} of {found.compared[kind]:,} differ")
    print("\n".join(found.first), end="\n" if found.first else "", flush=True)
    return count == 0


if __name__ == "__main__":
    sys.exit(main())
