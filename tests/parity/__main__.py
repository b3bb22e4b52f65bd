"""`make tokenizer-parity`: every real vocabulary, one line each; fails where anything differs."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.parity.comparison import Comparison
from tests.parity.inputs import inputs_for
from tests.parity.real_vocabularies import FetchError, real_vocabularies, vocabularies_in
from tests.unit.tokenizer.running_sidecar import serve


def main() -> int:
    """Compare all vocabularies that are asked for."""
    parser = argparse.ArgumentParser(prog="tokenizer-parity", description=__doc__)
    parser.add_argument("--folder", type=Path, help="also each */tokenizer.json of this folder")
    parser.add_argument("--only", nargs="*", help="only the vocabularies of these names")
    arguments = parser.parse_args()
    failures: list[str] = []
    compared = 0
    for name, path in _paths(arguments.folder, arguments.only, failures):
        compared += 1
        if not _compare(name, path):
            failures.append(name)
    if not compared and not failures:
        print(f"tokenizer-parity: no vocabulary is named {' or '.join(arguments.only or ())}")
        return 2
    if failures:
        print(f"tokenizer-parity: failed: {', '.join(failures)}")
        return 1
    print("tokenizer-parity: no difference anywhere")
    return 0


def _paths(
    folder: Path | None, only: list[str] | None, failures: list[str]
) -> Iterator[tuple[str, Path]]:
    """Yield the files; name in `failures` those that cannot be had."""
    for name, vocabulary in real_vocabularies().items():
        if only and name not in only:
            continue
        try:
            yield name, vocabulary.fetch()
        except FetchError as exc:
            print(f"{name:18} NOT FETCHED: {exc}", flush=True)
            failures.append(name)
    if folder is not None:
        for name, path in vocabularies_in(folder).items():
            if not only or name in only:
                yield name, path


def _compare(name: str, path: Path) -> bool:
    """Compare one vocabulary, print its line, and return whether all agreed."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder, serve(path, Path(folder) / "s") as sidecar:
            inputs = inputs_for(sidecar.reference)
            found = Comparison(sidecar, path).run(inputs)
    except Exception as exc:  # noqa: BLE001 - whatever is wrong with one, the others are compared
        print(f"{name:18} FAILED: {type(exc).__name__}: {ascii(str(exc))[:500]}", flush=True)
        return False
    count = found.differing.total()
    print(
        f"{name:18} {len(inputs.texts):6,} texts {found.compared.total():8,} comparisons "
        f"{count:6,} differences {time.monotonic() - started:6.1f} s",
        flush=True,
    )
    for kind, differing in found.differing.items():
        print(f"  {kind}: {differing:,} of {found.compared[kind]:,} differ")
    print("\n".join(found.first), end="\n" if found.first else "", flush=True)
    return count == 0


if __name__ == "__main__":
    sys.exit(main())
