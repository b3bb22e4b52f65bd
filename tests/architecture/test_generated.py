"""The generated code is what proto/ says today."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.repository import ROOT, output_of_failure


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every generated file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.py*"))
        if path.suffix in {".py", ".pyi"}
    }


def test_python_is_what_make_gen_writes(tmp_path: Path) -> None:
    """Byte for byte; else run `make gen`."""
    assert output_of_failure("scripts/generate.sh", str(tmp_path)) == ""
    expected, found = files_of(tmp_path), files_of(ROOT / "gen" / "python")
    assert expected.keys() == found.keys()
    differing = [name for name in expected if expected[name] != found[name]]
    assert differing == []
