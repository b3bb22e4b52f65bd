"""Where a checkpoint's files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huggingface_hub import constants

from service.engine.model_description import find_directory

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_directory_is_its_own(tmp_path: Path) -> None:
    assert find_directory(str(tmp_path), None) == str(tmp_path)


def test_a_name_on_the_hub_is_found_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    cached = tmp_path / "models--someone--small"
    snapshot = cached / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("0123abcd")

    assert find_directory("someone/small", None) == str(snapshot)
