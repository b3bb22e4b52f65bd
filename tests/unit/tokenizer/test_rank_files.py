"""Files that list tokens by rank, tiktoken's and Mistral's, against their own libraries."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

from tests.unit.tokenizer.hard_texts import PIECES, random_texts
from tests.unit.tokenizer.running_sidecar import connect
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

Stub = pb_grpc.TokenizerServiceStub

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL_TOKENS = ["<|start|>", "<|end|>"]
TEXTS = [*PIECES, *random_texts(400, SPECIAL_TOKENS), "", "thethethe there", "a" * 500]


def mergeable_ranks() -> dict[bytes, int]:
    """Return all bytes, and slices of texts in a random order: many never come about by merging."""
    random_ = random.Random(2)
    data = "".join([*PIECES, "the there then than this that"]).encode()
    tokens = [bytes([byte]) for byte in range(256)]
    slices = set()
    while len(slices) < 800:
        start = random_.randrange(len(data))
        slices.add(data[start : start + random_.randint(2, 6)])
    tokens += random_.sample(sorted(token for token in slices if len(token) > 1), 700)
    return {token: rank for rank, token in enumerate(tokens)}


RANKS = mergeable_ranks()


@pytest.fixture
def start(binary: Path, tmp_path: Path) -> Iterator[Callable[[Path], Stub]]:
    """Start a sidecar for whatever files there are."""
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(connect(path, tmp_path / "s"))


def encode(stub: Stub, text: str, *, literal: bool = False, special: bool = False) -> list[int]:
    """Return the ids of a text, of which all or nothing is what a user wrote."""
    spans = [pb.ByteSpan(begin=0, end=len(text.encode()))] if literal else []
    request = pb.EncodeRequest(text=text.encode(), literal_spans=spans, add_special_tokens=special)
    return list(stub.Encode(request).token_ids)


def write_tiktoken(path: Path) -> tiktoken.Encoding:
    """Write a tiktoken file and the configuration beside it."""
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in RANKS.items()]
    path.write_text("".join(lines))
    special_tokens = {token: len(RANKS) + i for i, token in enumerate(SPECIAL_TOKENS)}
    config = {"pat_str": PATTERN, "special_tokens": special_tokens}
    (path.parent / "tiktoken.json").write_text(json.dumps(config))
    return tiktoken.Encoding("test", mergeable_ranks=RANKS, **config)


@pytest.mark.parametrize("name", ["tokenizer.model", "any.tiktoken"])
def test_tiktoken(start: Callable[[Path], Stub], tmp_path: Path, name: str) -> None:
    """A tiktoken file, with its pattern and special tokens beside it, gives tiktoken's ids."""
    reference = write_tiktoken(tmp_path / name)
    stub = start(tmp_path)

    for text in TEXTS:
        assert reference.encode(text, allowed_special="all") == encode(stub, text), ascii(text)
        plain = reference.encode(text, disallowed_special=())
        assert plain == encode(stub, text, literal=True), ascii(text)
        assert reference.decode(plain) == stub.Decode(pb.DecodeRequest(token_ids=plain)).text
    assert encode(stub, "a") == encode(stub, "a", special=True)


def write_tekken(path: Path, **changes: object) -> None:
    """Write a tekken.json with more tokens than it uses."""
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
        for token, rank in RANKS.items()
    ]
    config = {
        "pattern": PATTERN,
        "num_vocab_tokens": len(vocab),
        "default_vocab_size": 700,
        "default_num_special_tokens": 30,
        "version": "v3",
    }
    document: dict[str, Any] = {"config": config, "vocab": vocab, **changes}
    path.write_text(json.dumps(document))


def test_tekken(start: Callable[[Path], Stub], tmp_path: Path) -> None:
    """A tekken.json gives Tekkenizer's ids, with the first ids for the special tokens."""
    write_tekken(tmp_path / "tekken.json")
    reference = Tekkenizer.from_file(tmp_path / "tekken.json")
    stub = start(tmp_path)

    for text in TEXTS:
        assert reference.encode(text, bos=False, eos=False) == encode(stub, text, literal=True)
    assert reference.encode("a b", bos=True, eos=False) == encode(stub, "a b", special=True)
    assert [3, 29] == encode(stub, "[INST]<SPECIAL_29>")
    ids = reference.encode("[INST]héllo", bos=True, eos=True)
    response = stub.Decode(pb.DecodeRequest(token_ids=ids, skip_special_tokens=True))
    assert response.text == "[INST]héllo"


def test_tekken_with_listed_special_tokens(start: Callable[[Path], Stub], tmp_path: Path) -> None:
    """The special tokens that a tekken.json lists have their places in the list."""
    listed = [
        {"rank": rank, "token_str": token, "is_control": True}
        for rank, token in enumerate(["<unk>", "<s>", "</s>", "[A]"])
    ]
    write_tekken(tmp_path / "tekken.json", special_tokens=listed)
    stub = start(tmp_path)

    assert [1, 3, 4] == encode(stub, "[A]<SPECIAL_4>", special=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab": []}, "vocab: has 0 tokens, but the config asks for 670"),
        ({"vocab": [{"rank": 1}]}, "vocab[0].rank: is 1 instead of 0"),
        ({"config": {}}, "config.pattern: expected a string, found nothing"),
        (
            {"special_tokens": [{"rank": 0, "token_str": "qzj", "is_control": True}]},
            'the special token "qzj" is also plain text',
        ),
    ],
)
def test_a_wrong_tekken(
    start: Callable[[Path], Stub], tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    """What is wrong in a tekken.json is told with its place."""
    write_tekken(tmp_path / "tekken.json", **changes)

    with pytest.raises(ValueError, match=re.escape(message)):
        start(tmp_path)
