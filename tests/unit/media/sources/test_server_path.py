"""A path leads to a regular file below a root, or nowhere, and never tells which."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.errors import LimitExceededError, MediaSourceForbiddenError, StartupError
from service.media.sources.server_path import ServerPaths
from tests.unit.media.open_media import open_descriptors

FIELD = "conversation.messages[0].parts[1].image"
REFUSED = f"{FIELD}.source.path: is not a readable regular file below an allowed directory"
CAT = b"cat" * 1_000_000
SECRET = b"secret"
PR_SET_DUMPABLE = 4
NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file in it, and a secret beside it."""
    root = tmp_path / "media"
    (root / "pets").mkdir(parents=True)
    (root / "pets" / "cat.png").write_bytes(CAT)
    (tmp_path / "secret").write_bytes(SECRET)
    return root


@pytest.fixture
def paths(root: Path) -> Iterator[ServerPaths]:
    """The server's paths; as many descriptors are open after the test as before."""
    before = open_descriptors()
    paths = ServerPaths([root])
    yield paths
    paths.close()
    assert open_descriptors() == before


def read(paths: ServerPaths, path: object, max_bytes: int = 1 << 30) -> bytes:
    return b"".join(paths.pieces(FIELD, str(path), max_bytes))


def assert_refused(paths: ServerPaths, path: object) -> None:
    """A refusal says the same of everything, and not why."""
    with pytest.raises(MediaSourceForbiddenError) as caught:
        read(paths, path)
    assert caught.value.message == REFUSED
    assert caught.value.metadata == {"field": f"{FIELD}.source.path", "source": "path"}


def test_a_file_below_a_root_is_read(paths: ServerPaths, root: Path) -> None:
    assert read(paths, root / "pets" / "cat.png") == CAT


def test_a_root_that_is_a_link_is_resolved_at_the_start(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    paths = ServerPaths([link])
    link.unlink()
    link.symlink_to("/etc")
    try:
        assert read(paths, link / "pets" / "cat.png") == CAT
        assert read(paths, root / "pets" / "cat.png") == CAT
        assert_refused(paths, link / "passwd")
    finally:
        paths.close()


def test_the_innermost_of_nested_roots_is_taken(root: Path) -> None:
    paths = ServerPaths([root, root / "pets"])
    (root / "pets").rename(root / "moved")
    try:
        assert read(paths, root / "pets" / "cat.png") == CAT
    finally:
        paths.close()


def test_links_are_not_followed_wherever_they_lead(
    paths: ServerPaths, root: Path, tmp_path: Path
) -> None:
    (root / "to_file").symlink_to("pets/cat.png")
    (root / "to_folder").symlink_to("pets")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "out_folder").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    for path in ("to_file", "to_folder/cat.png", "out", "out_folder/secret", "loop", "loop/a"):
        assert_refused(paths, root / path)


def test_only_plain_absolute_paths_are_read(paths: ServerPaths, root: Path, tmp_path: Path) -> None:
    for path in (
        "",
        "/",
        "pets/cat.png",
        "cat.png",
        f"{root}",
        f"{root}/",
        f"{root}/pets",
        f"{root}/pets/",
        f"{root}/pets/cat.png/",
        f"{root}/pets/cat.png/x",
        f"{root}/../secret",
        f"{root}/pets/../../secret",
        f"{root}/pets/../pets/cat.png",
        f"{root}/./pets/cat.png",
        f"{root}//pets/cat.png",
        f"/{root}/pets/cat.png",
        f"{root}/pets/cat.png\0",
        f"{root}/pets/cat.png\0.jpg",
        f"{root}/pets\\cat.png",
        f"{root}/{'x' * 5000}",
        f"{root}/{'x/' * 5000}y",
        f"{root}/missing",
        f"{root}x/secret",
        f"{tmp_path}/secret",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "~/x",
        f"file://{root}/pets/cat.png",
    ):
        assert_refused(paths, path)


def test_fifos_sockets_and_folders_are_no_files(paths: ServerPaths, root: Path) -> None:
    """Nor does a FIFO without a writer block."""
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "socket"))
        for name in ("fifo", "socket", "pets"):
            assert_refused(paths, root / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_devices_are_not_opened(
    paths: ServerPaths, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        os.mknod(root / "zero", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this machine does not let root make devices")
    opened = record_opens(monkeypatch)
    assert_refused(paths, root / "zero")
    assert all(flags & os.O_PATH for _, flags in opened)


@pytest.mark.parametrize(
    "path", ["/dev/zero", "/dev/null", "/proc/self/environ", "/proc/self/mem", "/proc/version"]
)
def test_devices_and_the_kernels_files_are_refused_below_a_root_too(path: str) -> None:
    """Even when the root is the whole file system."""
    paths = ServerPaths([Path("/")])
    try:
        assert_refused(paths, path)
    finally:
        paths.close()


def test_a_file_that_may_not_be_read_is_refused(paths: ServerPaths, root: Path) -> None:
    locked = root / "locked"
    locked.write_bytes(SECRET)
    locked.chmod(0)
    if os.geteuid() != 0:
        assert_refused(paths, locked)
        return
    (root / "pets").chmod(0o755)
    (root / "pets" / "cat.png").chmod(0o644)
    os.seteuid(NOBODY)
    try:
        # Otherwise /proc/self belongs to root still.
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        assert_refused(paths, locked)
        assert read(paths, root / "pets" / "cat.png") == CAT
    finally:
        os.seteuid(0)
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def record_opens(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[str], None] = lambda _: None
) -> list[tuple[str, int]]:
    """Record what is opened, with flags; `before` gets each path just before."""
    opened: list[tuple[str, int]] = []
    real_open = os.open

    def recording(path, flags, *args, **kwargs):
        before(str(path))
        opened.append((str(path), flags))
        return real_open(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", recording)
    return opened


@pytest.mark.parametrize("moment", ["pets", "cat.png", "/proc"])
def test_swapping_for_a_link_while_it_is_opened_gains_nothing(
    moment: str, paths: ServerPaths, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swap comes just before a component, or the checked file, is opened."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "cat.png").write_bytes(SECRET)

    def swap(path: str) -> None:
        if path.startswith(moment) and not (root / "pets").is_symlink():
            (root / "pets").rename(root / "moved")
            (root / "pets").symlink_to(elsewhere)

    record_opens(monkeypatch, swap)
    if moment == "pets":
        assert_refused(paths, root / "pets" / "cat.png")
    else:
        assert read(paths, root / "pets" / "cat.png") == CAT
    assert (root / "pets").is_symlink()


def test_swapping_the_file_for_a_link_gains_nothing(
    paths: ServerPaths, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat = root / "pets" / "cat.png"

    def swap(path: str) -> None:
        if path.startswith("/proc") and not cat.is_symlink():
            cat.unlink()
            cat.symlink_to(tmp_path / "secret")

    record_opens(monkeypatch, swap)
    assert read(paths, cat) == CAT
    assert_refused(paths, cat)


def test_a_files_size_is_checked_before_it_is_read(paths: ServerPaths, root: Path) -> None:
    with (root / "huge").open("wb") as huge:
        huge.truncate(1 << 40)
    with pytest.raises(LimitExceededError) as caught:
        read(paths, root / "huge", max_bytes=1000)
    assert caught.value.metadata["actual"] == str(1 << 40)
    assert caught.value.metadata["field"] == FIELD


def test_a_reader_that_stops_leaves_nothing_open(paths: ServerPaths, root: Path) -> None:
    before = open_descriptors()
    pieces = paths.pieces(FIELD, str(root / "pets" / "cat.png"), 1 << 30)
    assert next(pieces) == CAT[: 1 << 20]
    assert open_descriptors() > before
    pieces.close()
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "root", ["/nowhere", "/etc/passwd", "/proc", "/proc/self", "/sys", "tests"]
)
def test_what_is_no_root_stops_the_start(root: str, tmp_path: Path) -> None:
    before = open_descriptors()
    with pytest.raises(StartupError, match="--allowed-media-roots"):
        ServerPaths([tmp_path, Path(root)])
    assert open_descriptors() == before
