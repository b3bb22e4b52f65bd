"""Sidecars for the tests: started once for each tokenizer, asked over a plain synchronous channel."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, trainers
from tokenizers import decoders as hf_decoders
from tokenizers import processors as hf_processors

from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

PROJECT_ROOT = Path(__file__).resolve().parents[3]
BINARY = PROJECT_ROOT / "build" / "sidecar" / "triptych-tokenizer"
_BATCH = 500

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_PATTERN = QWEN2_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

CORPUS = [
    "The quick brown fox doesn't jump over the lazy dog; they're both we've-seen-it-all types.",
    "def main(argv):\n\tif not argv:\n\t\treturn 0  # nothing\n    x = [i ** 2 for i in range(100)]\n",
    "In 2024, 12345 people paid 67.89 EUR — naïve café façade, Việt Nam, Ελλάδα, Москва.",
    "你好，世界。今日は良い天気ですね。안녕하세요 세계 नमस्ते दुनिया مرحبا بالعالم שלום",
    "👨‍👩‍👧‍👦 🏳️‍🌈 😀😀😀  \n\n\n   \t\t  end",
] * 3


@dataclass(frozen=True)
class Sidecar:
    """A running sidecar and the Hugging Face tokenizer that it must agree with."""

    reference: Tokenizer
    stub: pb_grpc.TokenizerServiceStub

    def encode(self, texts: Sequence[str], *, add_special_tokens: bool = False) -> list[list[int]]:
        """Return the ids of each text."""
        ids: list[list[int]] = []
        for start in range(0, len(texts), _BATCH):
            requests = [
                pb.EncodeRequest(text=text.encode(), add_special_tokens=add_special_tokens)
                for text in texts[start : start + _BATCH]
            ]
            batch = self.stub.EncodeBatch(pb.EncodeBatchRequest(requests=requests))
            ids += [list(response.token_ids) for response in batch.responses]
        return ids

    def assert_agrees(self, texts: Sequence[str], *, add_special_tokens: bool = False) -> None:
        """Assert that all ids are exactly those of Hugging Face."""
        encodings = self.reference.encode_batch(texts, add_special_tokens=add_special_tokens)
        actual = self.encode(texts, add_special_tokens=add_special_tokens)
        for text, encoding, ids in zip(texts, encodings, actual, strict=True):
            assert encoding.ids == ids, ascii(text)


@contextmanager
def serve(path: Path, socket: Path) -> Iterator[Sidecar]:
    """Run a sidecar for the tokenizer.json at `path`."""
    arguments = [f"--tokenizer={path}", f"--listen=unix:{socket}", f"--parent-death={os.getpid()}"]
    process = subprocess.Popen([BINARY, *arguments], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        if "ready" not in line:
            raise ValueError(line)
        unlimited = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        with grpc.insecure_channel(f"unix:{socket}", options=unlimited) as channel:
            reference = Tokenizer.from_file(str(path))
            yield Sidecar(reference, pb_grpc.TokenizerServiceStub(channel))
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


@pytest.fixture(scope="session")
def binary() -> Path:
    """The sidecar that `make sidecar` builds."""
    if not BINARY.exists():
        pytest.fail(f"no sidecar at {BINARY}; run `make sidecar`")
    return BINARY


@pytest.fixture(scope="session")
def start_sidecar(
    binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], Sidecar]]:
    """Start a sidecar for a file; each file once for the whole run."""
    sidecars: dict[Path, Sidecar] = {}
    sockets = tmp_path_factory.mktemp("s")
    with ExitStack() as stack:

        def start(path: Path) -> Sidecar:
            if path not in sidecars:
                socket = sockets / f"{len(sidecars)}"
                sidecars[path] = stack.enter_context(serve(path, socket))
            return sidecars[path]

        yield start


def byte_level(*, add_prefix_space: bool = False, use_regex: bool = True) -> object:
    """Make the pre-tokenizer."""
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)


def split_then_bytes(pattern: str) -> object:
    """Make the pre-tokenizer of Qwen2 and Llama 3: a pattern, then bytes."""
    from tokenizers import Regex

    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), byte_level(use_regex=False)]
    )


def train(pre_tokenizer: object, *, nfc: bool = False, vocab_size: int = 600) -> Tokenizer:
    """Train a byte-level BPE on CORPUS, with the special tokens <|begin|> and <|end|>."""
    tokenizer = Tokenizer(models.BPE())
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizer  # type: ignore[assignment]
    tokenizer.decoder = hf_decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        show_progress=False,
        special_tokens=["<|begin|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = hf_processors.TemplateProcessing(
        single="<|begin|> $A", special_tokens=[("<|begin|>", 0)]
    )
    return tokenizer


_STYLES: dict[str, Callable[[], Tokenizer]] = {
    "gpt2": lambda: train(byte_level()),
    "gpt2_prefix_space": lambda: train(byte_level(add_prefix_space=True)),
    "qwen2": lambda: train(split_then_bytes(QWEN2_PATTERN), nfc=True),
    "llama3": lambda: train(split_then_bytes(LLAMA3_PATTERN)),
}


@pytest.fixture(scope="session")
def trained_path(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Train a tokenizer in a style of `_STYLES`; return its tokenizer.json. Each style once."""
    directory = tmp_path_factory.mktemp("trained")

    def path_of(style: str) -> Path:
        path = directory / style / "tokenizer.json"
        if not path.exists():
            path.parent.mkdir()
            tokenizer = _STYLES[style]()
            tokenizer.add_tokens(
                [
                    AddedToken("<word>", single_word=True, normalized=False),
                    AddedToken("<left>", lstrip=True, normalized=False),
                    AddedToken("<right>", rstrip=True, normalized=False),
                    AddedToken("<rightmost>", rstrip=True, lstrip=True, normalized=True),
                    AddedToken("café", normalized=True),
                ]
            )
            tokenizer.save(str(path))
        return path

    return path_of


@pytest.fixture(scope="session", params=_STYLES)
def trained(
    request: pytest.FixtureRequest,
    trained_path: Callable[[str], Path],
    start_sidecar: Callable[[Path], Sidecar],
) -> Sidecar:
    """A sidecar for each trained style."""
    return start_sidecar(trained_path(request.param))


@pytest.fixture
def variant(
    binary: Path, trained_path: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Sidecar]]:
    """Start a sidecar for the gpt2 style with some top-level members of the file replaced."""
    with ExitStack() as stack:

        def start(**members: object) -> Sidecar:
            document = json.loads(trained_path("gpt2").read_text())
            document.update(members)
            path = tmp_path_factory.mktemp("v") / "tokenizer.json"
            path.write_text(json.dumps(document))
            return stack.enter_context(serve(path, path.with_name("s")))

        yield start


@pytest.fixture(scope="session")
def gpt2_vocab(trained_path: Callable[[str], Path]) -> dict[str, int]:
    """The vocabulary that `variant` starts from, without the added tokens that it replaces."""
    vocab: dict[str, int] = json.loads(trained_path("gpt2").read_text())["model"]["vocab"]
    return vocab
