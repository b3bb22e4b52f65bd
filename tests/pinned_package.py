"""Packages of the registries that tests use but this project may not hold: pinned by hash.

Which registry or mirror is asked is the machine's own configuration of npm, pip and apt. What is
not the package that is pinned is refused.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S = 300
_PIP = (
    *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
    *("--retries=1", "--no-deps"),
)


class FetchError(Exception):
    """A package is out of reach, or is not what was pinned."""


@dataclass(frozen=True)
class Package:
    """A pinned package. `sha256` is that of the whole archive.

    `registry` is "npm", "pypi" (a wheel), "pypi-source" (what wheels are built from; pip asks the
    source for its metadata, and runs it for that) or "debian".
    """

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
        try:
            subprocess.run(
                self._command(),
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
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

    def _command(self) -> tuple[str, ...]:
        """Return the command that downloads it into the folder where it runs."""
        pinned = f"{self.package}=={self.version}"
        return {
            "npm": (
                *("npm", "pack", "--silent", "--fetch-retries=1"),
                f"{self.package}@{self.version}",
            ),
            "pypi": (*_PIP, "--only-binary=:all:", pinned),
            "pypi-source": (*_PIP, f"--no-binary={self.package}", pinned),
            "debian": ("apt-get", "download", "-qq", f"{self.package}={self.version}"),
        }[self.registry]


def read_member(archive: Path, name: str) -> bytes:
    """Return one file of a package's archive; raises KeyError when it has none of that name."""
    (found,) = read_members(archive, (name,))
    return found[1]


def read_members(archive: Path, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield each of these files of an archive with its name; raises KeyError as `read_member`."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            for name in names:
                yield name, wheel.read(name)
        return
    with _open_tar(archive) as package:
        for name in names:
            member = package.extractfile(name)
            assert member is not None
            yield name, member.read()


def _open_tar(archive: Path) -> tarfile.TarFile:
    if archive.suffix != ".deb":
        return tarfile.open(archive)
    files = subprocess.run(
        ("dpkg-deb", "--fsys-tarfile", archive), check=True, capture_output=True
    ).stdout
    return tarfile.open(fileobj=io.BytesIO(files))
