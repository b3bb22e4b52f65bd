"""The store's files. Blocking; knows nothing of room or time.

    DIR/                                    locked by the one server process that uses it
      contents/<SHA-256>-<size>             the bytes, written once
      callers/<caller's key>/<SHA-256>      empty: this caller has that content;
                                            mtime: uploaded or asked for, atime: last used
      uploads/<random>                      being written

Names and times are all there is to read after a restart. No name holds text of a caller. A
content appears by rename, whole: what was being written when a server was killed is in `uploads`,
which is emptied at the start. A content is synced to the disk before it is renamed, since after
a power cut a whole name must not stand for half of the bytes; the names themselves are not
synced: to lose one costs an upload. The three folders are ours alone (0700); in them, what is no
file of the store is left alone and logged, and what is damaged is removed and logged. Nothing
else in DIR is touched.

Tested by tests/unit/media/store/test_restart.py.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from service.errors import StartupError
from service.media.store.catalogue import Content
from service.telemetry.logging import logger

_CONTENT_NAME = re.compile(r"([0-9a-f]{64})-([1-9][0-9]{0,15})", re.ASCII)
_HASH_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UPLOAD_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NS = 1_000_000_000


class StoreDirectory:
    """The files of one store; `close` gives the directory free for another process."""

    def __init__(self, path: Path, lock_fd: int) -> None:
        self.path = path
        self._lock_fd = lock_fd
        self._contents = path / "contents"
        self._callers = path / "callers"
        self._uploads = path / "uploads"

    @classmethod
    def open(cls, path: Path) -> Self:
        """Lock the directory, made if need be, and sweep it; raises StartupError."""
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            lock_fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as exc:
            raise StartupError(
                f"cannot use {path} as the media store: {exc.strerror}; give a directory that "
                "this user may write to with --media-store"
            ) from exc
        directory = cls(path, lock_fd)
        try:
            directory._lock()
            directory._make_folders()
        except BaseException:
            directory.close()
            raise
        directory._sweep_uploads()
        return directory

    def close(self) -> None:
        """Unlock. Harmless a second time."""
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def contents(self) -> Iterator[Content]:
        """Give each whole content once; damaged ones are removed."""
        for item in _entries(self._contents):
            name = _CONTENT_NAME.fullmatch(item.name)
            if name is None:
                _log_foreign(item)
                continue
            content = Content(bytes.fromhex(name[1]), int(name[2]), is_verified=False)
            if self.holds(content):
                yield content
            else:
                logger.warning("media store: removing %s, which is damaged", item.path)
                _remove(Path(item.path))

    def entries(self) -> Iterator[tuple[str, bytes, float, float]]:
        """Give each caller's key, the content's hash, and when it was kept and used."""
        for folder in _entries(self._callers):
            if not _HASH_NAME.fullmatch(folder.name) or not folder.is_dir(follow_symlinks=False):
                _log_foreign(folder)
                continue
            for item in _entries(Path(folder.path)):
                if not _HASH_NAME.fullmatch(item.name) or not item.is_file(follow_symlinks=False):
                    _log_foreign(item)
                    continue
                times = item.stat(follow_symlinks=False)
                yield folder.name, bytes.fromhex(item.name), times.st_mtime, times.st_atime
            with suppress(OSError):  # it is not empty
                Path(folder.path).rmdir()

    def holds(self, content: Content) -> bool:
        """Tell whether the content's file is there, and of the right size."""
        try:
            found = os.lstat(self._content_path(content))
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size == content.size_bytes

    def create_upload(self) -> tuple[int, Path]:
        """Make an empty file to write to."""
        path = self._uploads / secrets.token_hex(16)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, 0o600), path

    def discard_upload(self, path: Path) -> None:
        """Remove an upload's file, if it is still there."""
        _remove(path)

    def publish(self, upload: Path, content: Content) -> None:
        """Give an upload its name; what had that name before has the same bytes."""
        upload.rename(self._content_path(content))

    def open_content(self, content: Content) -> int | None:
        """Return a descriptor to read from; None when the file is gone or damaged."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            fd = os.open(self._content_path(content), flags)
        except OSError as exc:
            logger.warning("media store: cannot open a content: %s", exc)
            return None
        found = os.fstat(fd)
        if stat.S_ISREG(found.st_mode) and found.st_size == content.size_bytes:
            return fd
        os.close(fd)
        return None

    def remove_content(self, content: Content) -> None:
        """Unlink; who has it open reads on."""
        _remove(self._content_path(content))

    def write_entry(self, key: str, sha256: bytes, kept_at_s: float, used_at_s: float) -> None:
        """Note that a caller has a content."""
        path = self._entry_path(key, sha256)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(path, flags, 0o600)
        try:
            os.utime(fd, ns=(round(used_at_s * _NS), round(kept_at_s * _NS)))
        finally:
            os.close(fd)

    def remove_entry(self, key: str, sha256: bytes) -> None:
        """Forget that a caller has a content."""
        path = self._entry_path(key, sha256)
        _remove(path)
        with suppress(OSError):  # the caller has others
            path.parent.rmdir()

    def _content_path(self, content: Content) -> Path:
        return self._contents / f"{content.sha256.hex()}-{content.size_bytes}"

    def _entry_path(self, key: str, sha256: bytes) -> Path:
        return self._callers / key / sha256.hex()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StartupError(
                f"the media store {self.path} is in use by another server; stop that one, or "
                "give this one its own directory with --media-store"
            ) from exc
        except OSError as exc:
            raise StartupError(
                f"the media store {self.path} cannot be locked: {exc.strerror}; "
                "give a directory on a local disk with --media-store"
            ) from exc

    def _make_folders(self) -> None:
        for folder in (self._contents, self._callers, self._uploads):
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
                if folder.is_symlink():
                    raise NotADirectoryError(0, "it is a symbolic link")
                folder.chmod(0o700)
            except OSError as exc:
                raise StartupError(
                    f"cannot use {folder} for the media store: {exc.strerror}; "
                    "give another directory with --media-store"
                ) from exc

    def _sweep_uploads(self) -> None:
        for item in _entries(self._uploads):
            if _UPLOAD_NAME.fullmatch(item.name):
                logger.info("media store: removing an upload that a stopped server left")
                _remove(Path(item.path))
            else:
                _log_foreign(item)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as items:
        return list(items)


def _log_foreign(item: os.DirEntry[str]) -> None:
    logger.warning("media store: ignoring %r, which is no file of the store", item.path)


def _remove(path: Path) -> None:
    """Unlink; what cannot be unlinked is logged, and looked at again at the next start."""
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        logger.warning("media store: cannot remove %s: %s", path, exc.strerror)
