"""Files made to hurt: refused, or read and used, but always in bounded time and memory.

Each is loaded by a sidecar that has 10 s of CPU, of which a good file of this size needs far less
than one, and whose memory is measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.unit.tokenizer.running_sidecar import serve
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

Json = dict[str, Any]
CPU_S = 10
MIB = 1 << 20
MEMORY_LIMIT = 3000 * MIB  # of addresses, of which a process uses less
BYTE_LEVEL: Json = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


def document(**changes: object) -> Json:
    """Return a small valid file with some of its members replaced."""
    whole: Json = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": BYTE_LEVEL,
        "post_processor": None,
        "decoder": BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "vocab": {"a": 0, "b": 1, "ab": 2},
            "merges": [["a", "b"]],
        },
    }
    return whole | changes


def bpe(vocab: dict[str, int], merges: list[list[str]]) -> Json:
    """Return a file with this model."""
    return document(model={"type": "BPE", "vocab": vocab, "merges": merges})


def split(pattern: str) -> Json:
    """Return a file that splits by a regular expression."""
    one = {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }
    steps = {"type": "Sequence", "pretokenizers": [one, BYTE_LEVEL | {"use_regex": False}]}
    return document(pre_tokenizer=steps)


def added(token_id: int, content: str) -> Json:
    """Return an added token."""
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return {"id": token_id, "content": content} | dict.fromkeys(flags, False)


def nested(depth: int, key: str = "normalizers") -> Json:
    """Return Sequences in Sequences."""
    inner: Json = {"type": "NFC"}
    for _ in range(depth):
        inner = {"type": "Sequence", key: [inner]}
    return inner


@pytest.fixture
def refuse(binary: Path, tmp_path: Path) -> Callable[[bytes | Path], str]:
    """Start a sidecar on a file that it must refuse, and see how it ends."""

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))

    def run(content: bytes | Path) -> str:
        path = content if isinstance(content, Path) else tmp_path / "tokenizer.json"
        if isinstance(content, bytes):
            path.write_bytes(content)
        process = subprocess.Popen(
            [binary, f"--tokenizer={path}", f"--listen=unix:{tmp_path / 's'}"],
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limits,  # noqa: PLW1509 - nothing else runs in this process meanwhile
        )
        assert process.stderr is not None
        with process.stderr:
            message = process.stderr.readline()
            if "ready" in message:
                process.kill()
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 1, f"{process.returncode}: {message}"
        return message

    return run


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


MANY_RANGES = "".join(chr(c) for c in range(0x100, 0xD000, 2))
REFUSED: dict[str, Callable[[], object]] = {
    "id_of_2_to_31": lambda: bpe({"a": 2**31}, []),
    "id_of_2_to_32": lambda: bpe({"a": 2**32}, []),
    "id_of_2_to_64": lambda: bpe({"a": 2**64}, []),
    "negative_id": lambda: bpe({"a": -1}, []),
    "fraction_as_id": lambda: bpe({"a": 0.5}, []),
    "duplicate_ids": lambda: bpe({"a": 0, "b": 0}, []),
    "added_id_of_2_to_31": lambda: document(added_tokens=[added(2**31, "x")]),
    "deep_sequences": lambda: document(normalizer=nested(60)),
    "a_million_decoders": lambda: document(
        decoder={"type": "Sequence", "decoders": [{"type": "Fuse"}] * 300_000}
    ),
    "merge_of_unknown_pieces": lambda: bpe({"a": 0}, [["a", "z"]]),
    "groups_without_end": lambda: split("(" * 100_000),
    "deep_groups": lambda: split("(?:" * 5_000 + "a" + ")" * 5_000),
    "repeats_of_repeats": lambda: split("(?:(?:(?:a{1000}){1000}){1000}){1000}"),
    "chain_of_repeats": lambda: split("a" + "{1000}" * 10_000),
    "many_alternatives": lambda: split("|".join(["ab"] * 200_000)),
    "doubling_decoders": lambda: document(**doubling("decoder", "decoders")),
    "many_loops": lambda: split("(?:ab)*" * 50_000),
    "class_of_many_ranges": lambda: split("[" + MANY_RANGES + "]"),
    "repeats_of_one": lambda: split("a{1000}{10}" + "{1}" * 100_000),
    "unclosed_class": lambda: split("[" + "a-z" * 200_000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(refuse: Callable[..., str], name: str) -> None:
    """What cannot be meant is refused at once, with a message that tells what and where."""
    message = refuse(dump(REFUSED[name]()))

    assert "tokenizer.json: " in message
    assert len(message) < 2_000


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 1_000_000, b"[" * 5_000_000, b'{"model":' * 1_000_000, b'"' + b"a" * 10_000_000],
    ids=["empty", "zeros", "brackets", "objects", "open_string"],
)
def test_no_json(refuse: Callable[..., str], content: bytes) -> None:
    """What is no JSON is refused, however deep it is nested."""
    message = refuse(content)

    assert "tokenizer.json: " in message
    assert len(message) < 2_000


def test_a_string_of_a_gigabyte(refuse: Callable[..., str], tmp_path: Path) -> None:
    """A file that is too large is refused before it is read."""
    path = tmp_path / "tokenizer.json"
    with path.open("wb") as file:
        file.write(b'{"version": "')
        file.truncate(1 << 30)

    message = refuse(path)

    assert "more than the allowed" in message


def test_a_pipe(refuse: Callable[..., str], tmp_path: Path) -> None:
    """Nobody writes to it; it is refused and not waited for."""
    path = tmp_path / "tokenizer.json"
    os.mkfifo(path)

    assert "tokenizer.json" in refuse(path)


def doubling(key: str, name: str) -> dict[str, object]:
    """Return a Sequence that makes 2^40 letters of one."""
    twice = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    return {key: {"type": "Sequence", name: [twice] * 40}}


def long_added_tokens() -> Json:
    """Return a file whose added tokens all begin alike."""
    return document(added_tokens=[added(3 + i, "x" * (i + 1)) for i in range(1_000)])


def many_added_tokens() -> Json:
    """Return a file with 50,000 added tokens."""
    return document(added_tokens=[added(3 + i, f"<{i}>") for i in range(50_000)])


def cycle_of_merges() -> Json:
    """Return a file whose merges make what other merges are made of."""
    vocab = {"a": 0, "aa": 1, "aaa": 2, "aaaa": 3}
    return bpe(vocab, [["aaa", "a"], ["aa", "aa"], ["a", "aa"], ["aa", "a"], ["a", "a"]])


def long_tokens() -> Json:
    """Return a file with a merge for each length up to 2,000."""
    vocab = {"a" * (i + 1): i for i in range(2_000)}
    return bpe(vocab, [["a" * i, "a"] for i in range(1, 2_000)])


ACCEPTED: dict[str, Callable[[], Json]] = {
    "long_added_tokens": long_added_tokens,
    "many_added_tokens": many_added_tokens,
    "cycle_of_merges": cycle_of_merges,
    "long_tokens": long_tokens,
    "doubling_normalizers": lambda: document(**doubling("normalizer", "normalizers")),
    "doubling_byte_levels": lambda: document(
        normalizer={"type": "Sequence", "normalizers": [{"type": "ByteLevel"}] * 40}
    ),
    "huge_replacement": lambda: document(
        normalizer={"type": "Replace", "pattern": {"String": "a"}, "content": "b" * 1_000_000}
    ),
    "ids_with_gaps": lambda: bpe({"a": 0, "b": 4_000_000}, []),
    "class_of_many_members": lambda: split("[" + r"\p{L}\w" * 5_000 + "]"),
    "exponential_pattern": lambda: split("(?:a|aa|a*)*$|(a*)*c"),
    "lookahead_to_the_end": lambda: split(r"a(?=a*c)|."),
    "many_splits": lambda: document(
        pre_tokenizer={
            "type": "Sequence",
            "pretokenizers": [
                *(
                    {
                        "type": "Split",
                        "pattern": {"Regex": r"\p{L}+"},
                        "behavior": "Isolated",
                        "invert": False,
                    }
                    for _ in range(100)
                ),
                BYTE_LEVEL,
            ],
        }
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_used_within_bounds(binary: Path, tmp_path: Path, name: str) -> None:
    """What `tokenizers` reads too can be used; a text that would take too long is refused."""
    path = tmp_path / "tokenizer.json"
    path.write_bytes(dump(ACCEPTED[name]()))

    with contextlib.ExitStack() as stack:
        sidecar = stack.enter_context(serve(path, tmp_path / "s"))
        for text in (b"a" * 50_000, b"ab " * 20_000, b"x" * 20_000, b"<1><2" * 5_000):
            call = sidecar.stub.Encode.future(pb.EncodeRequest(text=text), timeout=CPU_S)
            assert call.code() in {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
