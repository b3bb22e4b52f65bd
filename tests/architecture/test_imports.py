"""The direction of imports (pyproject.toml, tool.importlinter)."""

from __future__ import annotations

import tomllib

from tests.architecture.repository import ROOT, output_of_failure

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_imports_follow_the_layers() -> None:
    """No layer imports one above it; vLLM and the messages stay where they are."""
    assert output_of_failure("lint-imports", "--no-logo", PYTHONPATH=str(ROOT)) == ""


def test_every_part_of_the_service_has_its_layer() -> None:
    """A module or folder that no layer names would be free to import anything."""
    contracts = CONFIGURATION["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    parts = [
        path
        for path in (ROOT / "service").iterdir()
        if path.suffix == ".py" or any(path.glob("*.py"))
    ]
    assert {f"service.{path.stem}" for path in parts} - {"service.__init__"} == named


def test_every_package_is_installed() -> None:
    """An installed service has all of its folders."""
    folders = {path.parent for path in (ROOT / "service").rglob("*.py")}
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    listed = CONFIGURATION["tool"]["setuptools"]["packages"]
    assert packages == {name for name in listed if name.split(".")[0] == "service"}
