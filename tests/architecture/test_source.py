"""Sizes, the environment, and what must not be written in a source file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, own_files, text_of

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
# The only reader of the environment (DESIGN.md); a second needs a reason here.
READERS_OF_THE_ENVIRONMENT = {"service/config.py"}

# Each has a bracket, so that this file does not hold what it forbids.
MACHINE_PATHS = r"/[w]ork/|/[t]mp/bash_jobs|/[f]arm/|/[r]oot/"
REGISTRY_HOSTS = (
    r"python[h]osted|py[p]i\.org|registry\.np[m]js|deb\.deb[i]an|crates\.io-[i]ndex"
    r"|proxy\.gol[a]ng|repo1?\.mav[e]n"
)
UNFINISHED = r"\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b"

MODULES = [path for path in own_files(".py") if path.is_relative_to(ROOT / "service")]


def name_of(path: Path) -> str:
    """Return a path as a test's name."""
    return str(path.relative_to(ROOT))


def lines_with(pattern: str, *suffixes: str) -> list[str]:
    """Return where a pattern occurs in the hand-written files."""
    return [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in own_files(*suffixes)
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_is_small(module: Path) -> None:
    """A module that is larger has two reasons to change."""
    assert len(module.read_text().splitlines()) <= MAX_MODULE_LINES


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_functions_are_small(module: Path) -> None:
    """A function, docstring and all, fits on a screen."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    sizes = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, functions)
    }
    assert {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES} == {}


def test_environment_is_read_in_one_place() -> None:
    """What a server does is told by its flags and by service/config.py."""
    readers = {
        name_of(module)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"})
        or (isinstance(node, ast.alias) and node.name in {"environ", "environb", "getenv"})
    }
    assert readers == READERS_OF_THE_ENVIRONMENT


def test_no_path_of_a_machine() -> None:
    """Nothing here depends on where somebody keeps it."""
    assert lines_with(MACHINE_PATHS) == []


def test_no_registry_is_named() -> None:
    """Which registry or mirror is used is the machine's own configuration."""
    assert lines_with(REGISTRY_HOSTS) == []


def test_nothing_is_left_unfinished() -> None:
    """What is to be done is in an issue."""
    assert lines_with(UNFINISHED, ".py", ".cc", ".h", ".sh", ".proto", ".toml", "Makefile") == []
