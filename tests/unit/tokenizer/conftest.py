"""Sidecars for the tests, each started once for its tokenizer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.unit.tokenizer.running_sidecar import BINARY, Sidecar, serve
from tests.unit.tokenizer.trained_tokenizers import STYLES, save_trained


@pytest.fixture(scope="session")
def binary() -> Path:
    """The sidecar that `make sidecar` builds."""
    if not BINARY.exists():
        pytest.fail(f"no sidecar at {BINARY}; run `make sidecar`")
    return BINARY


@pytest.fixture(scope="session")
def start_sidecar(
    binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], Sidecar]]:
    """Start a sidecar for a file; each file once for the whole run."""
    sidecars: dict[Path, Sidecar] = {}
    sockets = tmp_path_factory.mktemp("s")
    with ExitStack() as stack:

        def start(path: Path) -> Sidecar:
            if path not in sidecars:
                socket = sockets / f"{len(sidecars)}"
                sidecars[path] = stack.enter_context(serve(path, socket))
            return sidecars[path]

        yield start


@pytest.fixture(scope="session")
def trained_path(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Train a tokenizer in a style of `STYLES`; return its tokenizer.json. Each style once."""
    directory = tmp_path_factory.mktemp("trained")

    def path_of(style: str) -> Path:
        path = directory / style / "tokenizer.json"
        if not path.exists():
            path.parent.mkdir()
            save_trained(style, path)
        return path

    return path_of


@pytest.fixture(scope="session", params=STYLES)
def trained(
    request: pytest.FixtureRequest,
    trained_path: Callable[[str], Path],
    start_sidecar: Callable[[Path], Sidecar],
) -> Sidecar:
    """A sidecar for each trained style."""
    return start_sidecar(trained_path(request.param))


@pytest.fixture
def variant(
    binary: Path, trained_path: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Sidecar]]:
    """Start a sidecar for the gpt2 style with some top-level members of the file replaced."""
    with ExitStack() as stack:

        def start(**members: object) -> Sidecar:
            document = json.loads(trained_path("gpt2").read_text())
            document.update(members)
            path = tmp_path_factory.mktemp("v") / "tokenizer.json"
            path.write_text(json.dumps(document))
            return stack.enter_context(serve(path, path.with_name("s")))

        yield start


@pytest.fixture(scope="session")
def gpt2_vocab(trained_path: Callable[[str], Path]) -> dict[str, int]:
    """The vocabulary that `variant` starts from, without the added tokens that it replaces."""
    vocab: dict[str, int] = json.loads(trained_path("gpt2").read_text())["model"]["vocab"]
    return vocab
