"""Files of the server: only below the roots that the operator gives, and no way around them.

A path is walked one component at a time from the root's descriptor, following no symbolic link
(O_NOFOLLOW) and knowing no `..`; so the check and the opening are the same act, and whoever swaps
a directory for a link in the meantime gains nothing. The last component is first opened as a place
(O_PATH), which neither blocks on a FIFO nor wakes a device; if that is a regular file of an
ordinary file system, the same inode is opened for reading.

Not there, not allowed, not a file, not readable: the caller is told the same, so paths cannot be
probed. Mounts below a root are part of it: the operator has put them there.
Tested by tests/unit/media/sources/test_server_path.py.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from service.errors import MediaSourceForbiddenError, StartupError
from service.media.limits import check_limit
from service.media.sources.pseudo_filesystems import is_pseudo

_FLAG = "--allowed-media-roots"
_PIECE_BYTES = 1 << 20
_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
# What a path is refused for before the disk is asked; "" is what `//` and a last `/` hold.
_NO_COMPONENTS = ("", ".", "..")


class ServerPaths:
    """The roots, opened at the start: what a root is does not change while the server runs.

    A root that is a symbolic link is resolved once; requests may name it either way. Raises
    StartupError when a root is no directory. `close` gives the descriptors back.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._descriptors = ExitStack()
        self._roots: dict[tuple[str, ...], int] = {}
        try:
            for root in roots:
                self._add(root)
        except BaseException:
            self.close()
            raise

    def pieces(self, part_field: str, path: str, max_bytes: int) -> Generator[bytes, None, None]:
        """Read a file to its end; opens, reads and closes it in the thread that iterates.

        Raises MediaSourceForbiddenError, and LimitExceededError by the file's size.
        """
        with _one_refusal(part_field), ExitStack() as opened:
            file = self._open(path, opened)
            size_bytes = os.fstat(file).st_size
            check_limit(part_field, "part_bytes", max_bytes, size_bytes)
            while piece := os.read(file, _PIECE_BYTES):
                yield piece

    def close(self) -> None:
        """Give the roots' descriptors back. Harmless a second time."""
        self._descriptors.close()

    def _add(self, root: Path) -> None:
        try:
            descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as exc:
            raise StartupError(f"{_FLAG}: {root} is not a directory: {exc.strerror}") from exc
        self._descriptors.callback(os.close, descriptor)
        if not root.is_absolute() or is_pseudo(os.fstat(descriptor)):
            raise StartupError(f"{_FLAG}: {root} must be an absolute path to ordinary files")
        for spelling in (root, root.resolve()):
            self._roots[PurePosixPath(os.path.normpath(spelling)).parts] = descriptor

    def _open(self, path: str, opened: ExitStack) -> int:
        """Return a descriptor of a regular file; `opened` closes it. Raises OSError."""
        place, components = self._root_of(path)
        for component in components[:-1]:
            place = os.open(component, _PLACE | os.O_DIRECTORY, dir_fd=place)
            opened.callback(os.close, place)
        place = os.open(components[-1], _PLACE, dir_fd=place)
        opened.callback(os.close, place)
        status = os.fstat(place)
        if not stat.S_ISREG(status.st_mode) or is_pseudo(status):
            raise OSError("not a regular file")
        file = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_CLOEXEC)
        opened.callback(os.close, file)
        return file

    def _root_of(self, path: str) -> tuple[int, list[str]]:
        """Return the innermost root above a path, and the components from there."""
        slash, *components = path.split("/")
        if slash or "\0" in path or any(part in _NO_COMPONENTS for part in components):
            raise OSError("not a plain absolute path")
        parts = ("/", *components)
        for length in range(len(parts) - 1, 0, -1):
            root = self._roots.get(parts[:length])
            if root is not None:
                return root, list(parts[length:])
        raise OSError("below no root")


@contextmanager
def _one_refusal(part_field: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        field = f"{part_field}.source.path"
        raise MediaSourceForbiddenError(
            f"{field}: is not a readable regular file below an allowed directory",
            field=field,
            source="path",
        ) from exc
