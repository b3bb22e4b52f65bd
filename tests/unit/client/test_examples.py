"""Every example of the client's README and of its examples folder runs."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.client.fake_server import answer

if TYPE_CHECKING:
    from tests.unit.client.fake_server import FakeServer

CLIENT = Path(__file__).parents[3] / "clients" / "python"
README = (CLIENT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
EXAMPLES = sorted((CLIENT / "examples").glob("*.py"))


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the files that the examples name where they run."""
    monkeypatch.chdir(tmp_path)
    for name in ("photo.jpg", "sound.wav", "clip.mp4"):
        Path(name).write_bytes(b"content")


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_of_the_readme_runs(
    server: FakeServer, capsys: pytest.CaptureFixture[str], block: str
) -> None:
    """Each block stands alone; those that ask print the answer."""
    server.script = answer("a ", "cat")
    exec(block.replace("localhost:50051", server.target), {})  # noqa: S102  # our own README

    assert "a cat" in capsys.readouterr().out or not server.requests


def test_the_readme_has_its_examples() -> None:
    """The blocks are found, so that the test above tests something."""
    assert len(BLOCKS) >= 7


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(
    server: FakeServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    example: Path,
) -> None:
    """Each takes the server and files on its command line, and prints the answer."""
    server.script = answer("a ", "cat")
    monkeypatch.setattr(sys, "argv", [str(example), server.target, "photo.jpg"])
    runpy.run_path(str(example), run_name="__main__")

    assert "a cat" in capsys.readouterr().out
