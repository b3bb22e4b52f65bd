"""The contract keeps buf's rules, and keeps its promises to those who call it already."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.architecture.repository import ROOT, output_of_failure


def test_proto_is_clean() -> None:
    """STANDARD names and a comment on everything."""
    assert output_of_failure("buf", "lint") == ""


def test_proto_breaks_nobody() -> None:
    """Callers of the last release, or of the last commit, are still understood."""
    assert output_of_failure("scripts/check_breaking.sh") == ""


def test_a_removed_field_would_be_found(tmp_path: Path) -> None:
    """The check that passes above is one that can fail."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    conversation = tmp_path / "proto" / "triptych" / "v1" / "conversation.proto"
    text = conversation.read_text()
    field = next(line for line in text.splitlines() if line.startswith("  repeated Part parts"))
    conversation.write_text(text.replace(field, ""))
    failure = output_of_failure("buf", "breaking", str(tmp_path), "--against", str(ROOT))
    assert "parts" in failure
