"""A sidecar for the tests, beside the Hugging Face tokenizer that it must agree with.

Asked over a plain synchronous channel: what is tested here is the sidecar, not our client.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from tokenizers import Tokenizer

from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

PROJECT_ROOT = Path(__file__).resolve().parents[3]
BINARY = PROJECT_ROOT / "build" / "sidecar" / "triptych-tokenizer"
_BATCH = 500


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
    """Run a sidecar for the tokenizer.json at `path`, beside Hugging Face's tokenizer for it."""
    with connect(path, socket) as stub:
        yield Sidecar(Tokenizer.from_file(str(path)), stub)


def local_socket(socket: Path) -> Path:
    """Return where the sidecar that listens on `socket` takes calls without gRPC."""
    return socket.with_name(f"{socket.name}.local")


@contextmanager
def connect(path: Path, socket: Path) -> Iterator[pb_grpc.TokenizerServiceStub]:
    """Run a sidecar for the tokenizer at `path`, whatever its form."""
    arguments = [
        *(f"--tokenizer={path}", f"--listen=unix:{socket}", f"--parent-death={os.getpid()}"),
        f"--local-socket={local_socket(socket)}",
    ]
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
            yield pb_grpc.TokenizerServiceStub(channel)
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
