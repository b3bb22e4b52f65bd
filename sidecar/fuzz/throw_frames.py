"""Throw garbage at a running sidecar's sockets, and see that it goes on answering.

What service_fuzz and frames_fuzz cannot reach: gRPC's own reading of bytes, and callers that come
and go. Connections send random bytes, frames of HTTP/2 with random content, and requests whose
message is cut off, too long or no protobuf; some hang up in the middle. Every so often a
well-behaved client must get the right ids within seconds, and the process must not have grown.

    .venv/bin/python sidecar/fuzz/throw_frames.py [SECONDS [SEED]]
"""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc

from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "build" / "sidecar" / "triptych-tokenizer"
SAMPLE = ROOT / "sidecar" / "fuzz" / "samples" / "a_gpt2.json"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
SETTINGS_FRAME = b"\0\0\0\4\0\0\0\0\0"
METHODS = ("Encode", "EncodeBatch", "Decode", "StreamDecode", "StreamEncode", "GetInfo", "Nothing")
MAX_GROWTH_BYTES = 256 << 20


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame of HTTP/2."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + payload


def literal(name: str, value: str) -> bytes:
    """Return a header that HPACK neither compresses nor remembers."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def request_headers(stream: int, method: str) -> bytes:
    """Return the headers of a call."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"/triptych.sidecar.v1.TokenizerService/{method}",
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    block = b"".join(literal(name, value) for name, value in fields.items())
    return frame(HEADERS, 4, stream, block)


def random_message(random_: random.Random) -> bytes:
    """Return a message with gRPC's prefix, now and then a wrong one."""
    body = random_.randbytes(random_.choice((0, 1, 5, 30, 300)))
    size = len(body) if random_.random() < 0.7 else random_.randrange(2**32)
    flag = 0 if random_.random() < 0.9 else random_.randrange(256)
    return bytes([flag]) + size.to_bytes(4, "big") + body


def random_bytes(random_: random.Random) -> bytes:
    """Return what one connection sends."""
    kind = random_.random()
    if kind < 0.2:
        return random_.randbytes(random_.randrange(2_000))
    sent = PREFACE + SETTINGS_FRAME
    for turn in range(random_.randrange(1, 12)):
        stream = 2 * turn + 1 if random_.random() < 0.9 else random_.randrange(2**31)
        if random_.random() < 0.6:
            sent += request_headers(stream, random_.choice(METHODS))
            sent += frame(DATA, random_.choice((0, 1)), stream, random_message(random_))
        else:
            payload = random_.randbytes(random_.choice((0, 4, 5, 8, 40)))
            sent += frame(random_.randrange(11), random_.randrange(256), stream, payload)
    return sent if random_.random() < 0.7 else sent[: random_.randrange(len(sent))]


def random_local_bytes(random_: random.Random) -> bytes:
    """Return what one connection to the local socket sends."""
    if random_.random() < 0.2:
        return random_.randbytes(random_.randrange(2_000))
    method = f"/triptych.sidecar.v1.TokenizerService/{random_.choice(METHODS)}".encode()
    messages = [random_message(random_)[1:] for _ in range(random_.randrange(12))]
    sent = len(method).to_bytes(4, "big") + method + b"".join(messages)
    return sent if random_.random() < 0.7 else sent[: random_.randrange(len(sent))]


def throw(path: Path, random_: random.Random) -> None:
    """Open one connection, send, perhaps listen, hang up."""
    is_local = random_.random() < 0.5
    sent = random_local_bytes(random_) if is_local else random_bytes(random_)
    with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
        connection.settimeout(0.05)
        connection.connect(str(local_socket(path) if is_local else path))
        connection.sendall(sent)
        if random_.random() < 0.5:
            connection.recv(4096)


def resident_bytes(pid: int) -> int:
    """Return the memory that a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


def local_socket(path: Path) -> Path:
    """Return the socket beside gRPC's."""
    return path.with_name("local")


def check_local_answers(path: Path) -> None:
    """Call over the local socket as a client does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(local_socket(path)))
        method = b"/triptych.sidecar.v1.TokenizerService/StreamEncode"
        for message in (method, b""):
            connection.sendall(len(message).to_bytes(4, "big") + message)
            if connection.recv(100) != b"\0\0\0\0":
                raise SystemExit("no answer at the local socket")


def check_answers(path: Path) -> None:
    """Call as a client does."""
    check_local_answers(path)
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"unix:{path}", options=options) as channel:
        stub = pb_grpc.TokenizerServiceStub(channel)
        ids = stub.Encode(pb.EncodeRequest(text=b"the the"), timeout=10).token_ids
        text = stub.Decode(pb.DecodeRequest(token_ids=ids), timeout=10).text
    if text != "the the":
        raise SystemExit(f"wrong answer: {text!r}")


def main() -> None:
    """Start a sidecar and throw for a while."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    random_ = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "s"
        arguments = [BINARY, f"--model={SAMPLE}", f"--listen=unix:{path}"]
        arguments.append(f"--local-socket={local_socket(path)}")
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
            try:
                thrown = throw_until(path, process, time.monotonic() + seconds, random_)
            finally:
                process.terminate()
        print(f"{thrown} connections in {seconds:.0f} s; exit code {process.returncode}")
    if process.returncode != 0:
        raise SystemExit(1)


def throw_until(
    path: Path, process: subprocess.Popen[str], end: float, random_: random.Random
) -> int:
    """Throw until the time is over; return the number of connections."""
    if process.stderr is None or "ready" not in process.stderr.readline():
        raise SystemExit("the sidecar does not start")
    threading.Thread(target=process.stderr.read, daemon=True).start()  # or its lines fill the pipe
    check_answers(path)
    before = resident_bytes(process.pid)
    thrown = 0
    while time.monotonic() < end:
        for _ in range(100):
            throw(path, random_)
        thrown += 100
        if process.poll() is not None:
            raise SystemExit(f"the sidecar ended with {process.returncode} after {thrown}")
        check_answers(path)
        growth = resident_bytes(process.pid) - before
        if growth > MAX_GROWTH_BYTES:
            raise SystemExit(f"the sidecar grew by {growth} bytes")
    return thrown


if __name__ == "__main__":
    main()
