"""The sidecar's local socket, byte by byte: what it takes, what it refuses, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from tests.unit.tokenizer.frame_caller import DECODE, ENCODE, Caller, frame
from tests.unit.tokenizer.test_sidecar_process import run
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

OPEN = pb.StreamDecodeRequest(
    operations=[pb.StreamOperation(stream_id=1, open=pb.OpenStream(skip_special_tokens=True))]
)
APPEND = pb.StreamDecodeRequest(appends=pb.AppendColumns(stream_ids=[1], token_ids=[10]))
CLOSE = pb.StreamDecodeRequest(closes=[1])
WORD = pb.StreamEncodeRequest(requests=[pb.EncodeRequest(text=b"word")])


@dataclass
class Running:
    """A sidecar, its two sockets, and its process."""

    address: str
    path: Path
    process: subprocess.Popen[str]

    def call(self, method: bytes | None = None) -> Caller:
        """Connect, and call where a method is given."""
        return Caller(self.path, method)

    def said(self) -> str:
        """Return the next line of its stderr, without the program's name."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().removeprefix("triptych-tokenizer: ").rstrip()

    def sleeps(self) -> int:
        """Return how often its threads have gone to sleep."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/status")
        words = [task.read_text().split() for task in tasks]
        return sum(int(found[found.index("voluntary_ctxt_switches:") + 1]) for found in words)

    def resident_bytes(self) -> int:
        """Return the memory that it has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")


Launch = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def launch(
    binary: Path, trained_path: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Launch:
    """Run a sidecar with some flags."""

    @contextmanager
    def run(*flags: str, path: Path | None = None) -> Iterator[Running]:
        path = path or tmp_path_factory.mktemp("f") / "local"
        arguments = [f"--model={trained_path('gpt2').parent}", "--listen=127.0.0.1:0", *flags]
        process = subprocess.Popen(
            [binary, *arguments, f"--local-socket={path}"], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        try:
            yield Running(process.stderr.readline().split()[-1], path, process)
        finally:
            process.terminate()
            process.wait()
            process.stderr.close()

    return run


@pytest.fixture
def running(launch: Launch) -> Iterator[Running]:
    """A sidecar as it comes."""
    with launch() as running:
        yield running


@pytest.fixture
def small(launch: Launch) -> Iterator[Running]:
    """A sidecar with small limits."""
    flags = ("--max-text-bytes=8", "--max-batch=2", "--max-message-bytes=8192", "--max-streams=2")
    with launch(*flags, "--max-calls=3", "--threads=1") as running:
        yield running


def by_grpc(running: Running, rpc: str, messages: Sequence[Message]) -> list[Message]:
    """Ask the same by gRPC."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(running.address, options=options) as channel:
        return list(getattr(pb_grpc.TokenizerServiceStub(channel), rpc)(iter(messages)))


def test_answers_are_those_of_grpc(small: Running) -> None:
    """Limits and failures of a text, of an append and of a stream included."""
    texts = [b"word", b"123456789", b"\xff", b"", b"a<s>"]
    encodes = [
        pb.StreamEncodeRequest(
            requests=[
                pb.EncodeRequest(text=text, include_token_spans=True, add_special_tokens=True),
                pb.EncodeRequest(text=text, pair=b"b", include_type_ids=True),
            ]
        )
        for text in texts
    ]
    opens = [pb.StreamOperation(stream_id=i, open=pb.OpenStream()) for i in range(3)]
    many_stops = pb.OpenStream(stop_strings=["a", "b", "c"])
    decodes = [
        pb.StreamDecodeRequest(operations=opens, closes=[0]),
        pb.StreamDecodeRequest(),
        pb.StreamDecodeRequest(operations=[pb.StreamOperation(stream_id=9, open=many_stops)]),
        APPEND,
        pb.StreamDecodeRequest(closes=[1, 1, 7]),
    ]
    for method, rpc, messages, answer in (
        (ENCODE, "StreamEncode", encodes, pb.StreamEncodeResponse),
        (DECODE, "StreamDecode", decodes, pb.StreamDecodeResponse),
    ):
        expected = by_grpc(small, rpc, messages)  # first: its streams are closed when it returns
        caller = small.call(method)
        caller.send(*messages)

        assert expected == [answer.FromString(caller.read() or b"") for _ in messages]


@pytest.mark.parametrize(
    ("method", "message", "reason"),
    [
        (
            ENCODE,
            pb.StreamEncodeRequest(requests=[pb.EncodeRequest()] * 3),
            "requests: 3 texts are more than the 2 that --max-batch allows; send several messages",
        ),
        (
            DECODE,
            pb.StreamDecodeRequest(appends=pb.AppendColumns(stream_ids=[1])),
            (
                "appends.token_counts: 0 counts for 1 streams; give one for each, "
                "or none where each append has one id"
            ),
        ),
        (ENCODE, b"\xff\xff", "a frame is no message of the method"),
        (DECODE, b"\x0a", "a frame is no message of the method"),
        (
            ENCODE,
            b"1" * 8193,
            "a frame of 8193 bytes is larger than the 8192 that --max-message-bytes allows",
        ),
    ],
)
def test_what_is_wrong_with_a_whole_message_closes_the_connection(
    small: Running, method: bytes, message: bytes | Message, reason: str
) -> None:
    """What came before is answered; the reason is in the log."""
    caller = small.call(method)
    caller.send(b"", message, b"")

    assert b"" == caller.read()
    assert caller.read() is None
    assert f"--local-socket: closed a connection: {reason}" == small.said()


@pytest.mark.parametrize(
    "first", [b"", DECODE[1:], DECODE.replace(b"Stream", b""), DECODE + b"s", b"x" * 5000]
)
def test_an_unknown_method_closes_the_connection(running: Running, first: bytes) -> None:
    """Nothing of what a caller sent gets into the log."""
    caller = running.call()
    caller.send(first)

    assert caller.read() is None
    assert (
        "--local-socket: closed a connection: the first frame is neither "
        f"{ENCODE.decode()} nor {DECODE.decode()}"
    ) == running.said()


@pytest.mark.parametrize("method", [None, DECODE])
def test_an_announced_size_takes_no_memory(running: Running, method: bytes | None) -> None:
    """4 GiB - 1 are refused at once, whatever follows."""
    before = running.resident_bytes()
    caller = running.call(method)
    caller.socket.sendall(b"\xff\xff\xff\xff")

    assert caller.read() is None
    assert running.resident_bytes() - before < 8 << 20


def test_memory_grows_with_what_has_come(running: Running) -> None:
    """Many callers may announce the most that is allowed and send little of it."""
    callers = [running.call(ENCODE) for _ in range(50)]
    before = running.resident_bytes()
    for caller in callers:
        caller.socket.sendall((256 << 20).to_bytes(4, "big") + b"1" * 1000)
    assert running.call(ENCODE).encode(WORD).results[0].response.token_ids

    assert running.resident_bytes() - before < 32 << 20


def test_bytes_one_by_one(running: Running) -> None:
    """The method, and messages of every size."""
    expected = running.call(ENCODE)
    caller = running.call()
    for byte in frame(ENCODE) + frame(b"") + frame(WORD):
        caller.socket.sendall(bytes([byte]))

    assert [b"", b""] == [caller.read(), caller.read()]
    assert expected.encode(WORD).SerializeToString() == caller.read()


@pytest.mark.parametrize("cut", [0, 1, 4, 5, 56, 57, 58, 60, 61, 62])
def test_a_caller_may_hang_up_anywhere(running: Running, cut: int) -> None:
    """Without a line in the log, and without harm for others."""
    caller = running.call()
    caller.socket.sendall((frame(DECODE) + frame(OPEN) + frame(OPEN))[:cut])
    caller.socket.shutdown(socket.SHUT_WR)
    while caller.read() is not None:
        pass
    unknown = running.call()
    unknown.send(b"the first line in the log")

    assert "closed a connection: the first frame" in running.said()


def test_an_answer_that_is_read_does_not_wake_the_sidecar(running: Running) -> None:
    """It sleeps once for a message; a blocking recv woke a second time, for nothing."""
    caller = running.call(DECODE)
    before = running.sleeps()
    for _ in range(2000):
        caller.ask(b"")

    assert running.sleeps() - before < 2000 * 1.25


def test_others_are_served_while_a_caller_stalls(running: Running) -> None:
    """In half a size, in half a message, and while it does not read its answers."""
    stalled = [running.call(), running.call(), running.call(ENCODE), running.call(ENCODE)]
    stalled[0].socket.sendall(frame(DECODE)[:2])
    stalled[1].socket.sendall(frame(DECODE)[:20])
    stalled[2].socket.sendall(frame(WORD)[:-1])
    stalled[3].send_until_full(WORD)

    assert running.call(ENCODE).encode(WORD).results[0].response.token_ids
    other = running.call(DECODE)
    other.decode(OPEN)
    assert [""] == other.decode(CLOSE).texts.pieces
    stalled[2].socket.sendall(frame(WORD)[-1:])
    assert stalled[2].read()


def test_too_many_connections(small: Running) -> None:
    """One above the limit is sent away; when another ends there is room again."""
    callers = [small.call(ENCODE) for _ in range(3)]
    refused = small.call()

    assert refused.read() is None
    assert (
        "--local-socket: a caller was sent away: 3 connections are open, more than which "
        "--max-calls does not allow"
    ) == small.said()
    assert callers[1].encode(WORD).results[0].response.token_ids
    callers[0].close()
    while (caller := call_if_there_is_room(small)) is None:
        pass  # the sidecar has not noticed yet
    assert caller.encode(WORD).results[0].response.token_ids


def call_if_there_is_room(running: Running) -> Caller | None:
    """Call StreamEncode; None where the connection was closed."""
    caller = running.call()
    with suppress(BrokenPipeError):
        caller.send(ENCODE)
    return None if caller.read() is None else caller


def test_streams_are_limited_over_both_sockets(small: Running) -> None:
    """--max-streams is for all calls together."""
    operations = [pb.StreamOperation(stream_id=i, open=pb.OpenStream()) for i in (1, 2)]
    caller = small.call(DECODE)
    caller.decode(pb.StreamDecodeRequest(operations=operations))

    (answer,) = by_grpc(small, "StreamDecode", [OPEN])

    assert "2 streams are open" in answer.results[0].failure.message
    assert [""] == caller.decode(CLOSE).texts.pieces


def test_only_the_owner_may_connect(running: Running) -> None:
    """Whatever the umask says."""
    assert 0o600 == running.path.stat().st_mode & 0o777
    assert running.path.is_socket()


def test_an_old_socket_is_replaced(launch: Launch, tmp_path: Path) -> None:
    """A sidecar that was killed leaves one behind; one that ends does not."""
    path = tmp_path / "local"
    with launch(path=path) as running:
        running.process.kill()
        running.process.wait()
    assert path.is_socket()

    with launch(path=path) as running:
        assert running.call(ENCODE).encode(WORD).results[0].response.token_ids
        running.process.terminate()
        assert 0 == running.process.wait(timeout=4)
    assert not path.exists()


def test_a_path_that_cannot_be_taken(
    binary: Path, trained_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """A file that is no socket stays; the sidecar ends with the reason."""
    (tmp_path / "file").write_text("kept")
    model = f"--model={trained_path('gpt2')}"
    for name, reason in (("file", "Address already in use"), ("no/s", "No such file or directory")):
        path = tmp_path / name
        finished = run(binary, model, f"--listen=unix:{tmp_path}/s", f"--local-socket={path}")

        message = f"--local-socket: cannot listen on {path}: {reason}"
        assert (1, f"triptych-tokenizer: {message}\n") == (finished.returncode, finished.stderr)
    assert "kept" == (tmp_path / "file").read_text()


def test_a_drain_ends_what_waits_and_lets_streams_finish(running: Running) -> None:
    """Callers that wait, before the method or behind it, also in half a frame, hold up nothing."""
    waiting = [running.call(), running.call(), running.call(ENCODE), running.call(DECODE)]
    waiting[1].socket.sendall(frame(DECODE)[:9])
    waiting[3].socket.sendall(frame(OPEN)[:5])
    closed = running.call(DECODE)
    closed.decode(OPEN)
    closed.decode(CLOSE)
    busy = running.call(DECODE)
    busy.decode(OPEN)

    running.process.send_signal(signal.SIGTERM)

    assert [None] * 5 == [caller.read() for caller in (*waiting, closed)]
    with pytest.raises(FileNotFoundError):
        running.call()
    assert 1 == len(busy.decode(APPEND).texts.pieces)
    busy.decode(CLOSE)
    assert busy.read() is None
    assert 0 == running.process.wait(timeout=4)


def test_a_drain_waits_for_a_stalled_stream_as_long_as_it_may(running: Running) -> None:
    """An open stream in half a message, and an answer that nobody reads: five seconds, no more."""
    stalled = running.call(DECODE)
    stalled.decode(OPEN)
    stalled.socket.sendall(frame(APPEND)[:-1])
    deaf = running.call(ENCODE)
    deaf.send_until_full(WORD)

    running.process.send_signal(signal.SIGTERM)

    assert 0 == running.process.wait(timeout=8)
