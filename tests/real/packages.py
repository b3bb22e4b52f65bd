"""The packages of packages.toml: fetched once, their files kept in build/real."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.pinned_package import Package, read_members

CACHE = Path(__file__).resolve().parents[2] / "build" / "real"
TABLE = Path(__file__).with_name("packages.toml")


@dataclass(frozen=True, kw_only=True)
class KeptPackage(Package):
    """A package, and those of its files that are kept; all of them when none is named."""

    name: str
    files: tuple[str, ...]

    def fetch(self) -> Path:
        """Return the folder with its files; raises FetchError when it is not kept and out of reach.

        Files that are named lie in the folder itself.
        """
        return keep(self.name, self.sha256, self._unpack)

    def _unpack(self, folder: Path) -> None:
        with tempfile.TemporaryDirectory() as place:
            archive = self.download(Path(place))
            if not self.files:
                with zipfile.ZipFile(archive) as wheel:
                    wheel.extractall(folder)
                return
            for name, data in read_members(archive, self.files):
                (folder / PurePosixPath(name).name).write_bytes(data)


def keep(name: str, made_from: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of the cache; `make` fills it unless it was filled from just that before."""
    folder = CACHE / name
    stamp = folder / "made_from"
    if stamp.exists() and stamp.read_text() == made_from:
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        fresh = Path(place) / name
        fresh.mkdir()
        make(fresh)
        (fresh / stamp.name).write_text(made_from)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    return folder


def package(name: str) -> KeptPackage:
    """Return the package that packages.toml pins under this name."""
    entry = tomllib.loads(TABLE.read_text())[name]
    return KeptPackage(name=name, **{**entry, "files": tuple(entry["files"])})
