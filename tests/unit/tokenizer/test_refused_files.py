"""Files that are not what they should be: an error, or what Hugging Face makes of them."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from tokenizers import Tokenizer

from tests.unit.tokenizer.running_sidecar import Sidecar, serve

VALUES: list[object] = [None, True, 0, -1, 1e99, "", [], {}]
TOKEN_FLAGS = {"single_word": False, "lstrip": False, "rstrip": False}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
DOCUMENT: dict[str, Any] = {
    "version": "1.0",
    "truncation": {
        "direction": "Right",
        "max_length": 8,
        "strategy": "LongestFirst",
        "stride": 0,
    },
    "padding": {
        "strategy": {"Fixed": 4},
        "direction": "Left",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "a",
    },
    "added_tokens": [
        {"id": 3, "content": "<end>", "normalized": False, "special": True, **TOKEN_FLAGS}
    ],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
    "pre_tokenizer": {**BYTE_LEVEL, "use_regex": True},
    "post_processor": None,
    "decoder": {**BYTE_LEVEL, "use_regex": True},
    "model": {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {"a": 0, "b": 1, "ab": 2},
        "merges": [["a", "b"]],
    },
}
TEXTS = ["ab<end>ba", "", "é abab"]


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each value in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from places(inner, (*path, key))


def changed(path: tuple[str | int, ...], value: object) -> object:
    """Return the document with another value at a place."""
    if not path:
        return value
    document: Any = copy.deepcopy(DOCUMENT)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return document


def loads(binary: Path, path: Path) -> bool:
    """Tell whether the sidecar takes a file; assert that it does not crash on it."""
    arguments = [f"--tokenizer={path}", f"--listen=unix:{path.parent}/none/s"]
    finished = subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)
    assert finished.returncode == 1, (path.read_text(), finished.stderr)
    return "cannot listen" in finished.stderr


def reference(path: Path) -> Tokenizer | None:
    """Return Hugging Face's tokenizer for a file, without the settings that we do not apply."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except BaseException:  # noqa: BLE001 (a panic of Rust is not an Exception)
        return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def test_any_value_of_another_type(binary: Path, tmp_path: Path) -> None:
    """A file with a value of another type is refused, or means what it means to Hugging Face."""
    assert loads(binary, write(tmp_path / "valid.json", DOCUMENT))
    paths = [
        write(tmp_path / f"{i}.json", changed(place, value))
        for i, (place, value) in enumerate(
            (place, value) for place in places(DOCUMENT) for value in VALUES
        )
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        taken = list(pool.map(lambda path: loads(binary, path), paths))
    files = [path for path, is_taken in zip(paths, taken, strict=True) if is_taken]
    assert [] == [path.read_text() for path in files if reference(path) is None]
    different = {path.read_text(): path for path in files}
    for path in different.values():
        with serve(path, tmp_path / "s") as sidecar:
            assert ids_by_reference(path) == ids_by(sidecar), path.read_text()


def ids_by_reference(path: Path) -> list[list[int]] | None:
    """Return the ids of TEXTS, or nothing where Hugging Face fails at one."""
    tokenizer = reference(path)
    assert tokenizer is not None
    try:
        return [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    except Exception:  # noqa: BLE001 (it has no other type)
        return None


def ids_by(sidecar: Sidecar) -> list[list[int]] | None:
    """Return the ids of TEXTS, or nothing where the sidecar refuses one."""
    try:
        return sidecar.encode(TEXTS)
    except grpc.RpcError:
        return None


def write(path: Path, document: object) -> Path:
    """Write a document."""
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is not valid JSON"),
        ('{"model": {', "the document is not valid JSON"),
        ('{"version": "\\ud83d"}', "begins half of a surrogate pair"),
        ('{"version": "1.0\x00"}', "the document is not valid JSON"),
        ('\ufeff{"version": "1.0"}', "begins with a byte order mark"),
        ("[" * 1_000_000, "the document is not valid JSON"),
        ('{"model": {"type": "BPE", "vocab": {"a": 2147483648}, "merges": []}}', ""),
        ('{"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}}', ""),
    ],
    ids=range(8),
)
def test_what_is_no_tokenizer(binary: Path, tmp_path: Path, text: str, message: str) -> None:
    """What is not JSON, or would be taken for something else, is an error."""
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    error = run(binary, path)

    assert error.startswith(f"triptych-tokenizer: {path}: ")
    assert message in error


def run(binary: Path, path: Path) -> str:
    """Return how the sidecar fails, which it must do at once."""
    finished = subprocess.run(
        [binary, f"--tokenizer={path}", f"--listen=unix:{path.parent}/s"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert finished.returncode == 1
    return finished.stderr


def a_pipe(path: Path) -> None:
    """Make a pipe that nobody writes to."""
    os.mkfifo(path)


def a_directory(path: Path) -> None:
    """Make a directory where a file should be."""
    path.mkdir()


def a_device(path: Path) -> None:
    """Make a link to a device that never ends."""
    path.symlink_to("/dev/zero")


def a_huge_file(path: Path) -> None:
    """Make a file of 1 GiB, which takes no room."""
    path.touch()
    os.truncate(path, 1 << 30)


@pytest.mark.parametrize("make", [a_pipe, a_directory, a_device, a_huge_file])
def test_what_is_no_file(binary: Path, tmp_path: Path, make: Callable[[Path], None]) -> None:
    """What is no regular file, or too large, is refused before it is read."""
    make(tmp_path / "tokenizer.json")
    error = run(binary, tmp_path)

    assert "is not a regular file" in error or "more than the allowed 536870912" in error


def test_a_wrong_tokenizer_config(binary: Path, tmp_path: Path) -> None:
    """A tokenizer_config.json beside the tokenizer is read as strictly."""
    write(tmp_path / "tokenizer.json", DOCUMENT)
    write(tmp_path / "tokenizer_config.json", {"clean_up_tokenization_spaces": "yes"})

    assert 'clean_up_tokenization_spaces: expected true or false, found "yes"' in run(
        binary, tmp_path
    )
