"""A caller of the sidecar's local socket for the tests: synchronous, and byte by byte if wanted."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from google.protobuf.message import Message

from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

ENCODE = b"/triptych.sidecar.v1.TokenizerService/StreamEncode"
DECODE = b"/triptych.sidecar.v1.TokenizerService/StreamDecode"
_PATIENCE_S = 20


def frame(message: bytes | Message) -> bytes:
    """Return a message as it travels."""
    data = message if isinstance(message, bytes) else message.SerializeToString()
    return len(data).to_bytes(4, "big") + data


class Caller:
    """One connection."""

    def __init__(self, path: Path, method: bytes | None = None) -> None:
        """Connect, and call where a method is given; raise OSError."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(_PATIENCE_S)
        self.socket.connect(str(path))
        if method is not None:
            self.ask(method)

    def send(self, *messages: bytes | Message) -> None:
        """Send whole frames."""
        self.socket.sendall(b"".join(map(frame, messages)))

    def send_until_full(self, message: Message) -> None:
        """Send the same until the sidecar, whose answers nobody reads, takes no more."""
        self.socket.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                self.socket.send(frame(message))

    def read(self) -> bytes | None:
        """Return the next frame; None where the sidecar has closed the connection."""
        head = self._receive(4)
        return None if head is None else self._receive(int.from_bytes(head, "big"))

    def ask(self, message: bytes | Message) -> bytes:
        """Send a message and return its answer; raise OSError where there is none."""
        self.send(message)
        answer = self.read()
        if answer is None:
            raise ConnectionResetError("the sidecar has closed the connection")
        return answer

    def encode(self, message: pb.StreamEncodeRequest) -> pb.StreamEncodeResponse:
        """Ask StreamEncode."""
        return pb.StreamEncodeResponse.FromString(self.ask(message))

    def decode(self, message: pb.StreamDecodeRequest) -> pb.StreamDecodeResponse:
        """Ask StreamDecode."""
        return pb.StreamDecodeResponse.FromString(self.ask(message))

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _receive(self, size: int) -> bytes | None:
        data = bytearray()
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                assert not data, "half a frame"
                return None
            data += piece
        return bytes(data)
