"""One call over a plain socket, against a small server here and against the sidecar."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from service.tokenizer.frame_call import FrameCall
from tests.unit.tokenizer.frame_caller import ENCODE, frame
from tests.unit.tokenizer.running_sidecar import local_socket, serve
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

METHOD = "/test.Echo/Echo"


class Inbox:
    """What a call says to its owner."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[bytes] = asyncio.Queue()
        self.ends: list[str] = []
        self.ended = asyncio.Event()

    def end(self, reason: str) -> None:
        """Take the end."""
        self.ends.append(reason)
        self.ended.set()

    def call(self) -> FrameCall:
        """Return a call that speaks to this inbox."""
        return FrameCall(self.messages.put_nowait, self.end)


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read a message as it travels."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


class EchoServer:
    """Gives each message back; hangs up at `stop`; tells when a call is over."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "echo"
        self.methods: list[bytes] = []
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one caller."""
        self.methods.append(await read_frame(reader))
        writer.write(frame(b""))
        try:
            while (message := await read_frame(reader)) != b"stop":
                writer.write(frame(message))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
        self.over.set()


@pytest.fixture
async def echo(tmp_path: Path) -> AsyncIterator[EchoServer]:
    """A running echo server."""
    echo = EchoServer(tmp_path)
    server = await asyncio.start_unix_server(echo.serve, echo.path)
    yield echo
    server.close()


@pytest.fixture
async def inbox() -> Inbox:
    """Where messages and the end go."""
    return Inbox()


@pytest.fixture
async def call(echo: EchoServer, inbox: Inbox) -> AsyncIterator[FrameCall]:
    """A call of the echo server."""
    call = inbox.call()
    await call.connect(str(echo.path), METHOD)
    yield call
    call.close()


async def test_messages_come_back_in_order(call: FrameCall, inbox: Inbox, echo: EchoServer) -> None:
    """Small, empty and many; the first that a server gets is the method."""
    sent = [b"", b"a", *(str(i).encode() * 7 for i in range(500))]
    for message in sent:
        call.send(message)

    assert sent == [await inbox.messages.get() for _ in sent]
    assert [METHOD.encode()] == echo.methods


@pytest.mark.parametrize("size", [65_531, 65_532, 65_533, 262_140, 262_141, 20_000_000])
async def test_large_messages_arrive_whole(call: FrameCall, inbox: Inbox, size: int) -> None:
    """Both ways, more than once, whatever the sockets hold at once."""
    sent = [bytes([i]) * size for i in range(3)]
    for message in sent:
        call.send(message)

    assert sent == [await inbox.messages.get() for _ in sent]


async def test_frames_cut_anywhere(inbox: Inbox) -> None:
    """Wherever a read ends, and however many frames are in it."""
    messages = [b"", b"hello", b"", b"\0\0\0\5", b"x" * 300]
    stream = b"".join(map(frame, messages))
    for first in range(len(stream) + 1):
        for second in (first, first + 1, first + 5, len(stream)):
            call = inbox.call()
            call.data_received(frame(b""))  # the answer to the method
            for piece in (stream[:first], stream[first:second], stream[second:]):
                if piece:
                    call.data_received(piece)

            assert messages == [inbox.messages.get_nowait() for _ in messages]
            assert inbox.messages.empty()


async def test_a_byte_at_a_time(inbox: Inbox) -> None:
    """The answer to the method, too."""
    call = inbox.call()
    for byte in frame(b"") + frame(b"hello") + frame(b"") + frame(b"world"):
        call.data_received(bytes([byte]))

    assert [b"hello", b"", b"world"] == [inbox.messages.get_nowait() for _ in range(3)]


async def test_the_server_ends_the_call(call: FrameCall, inbox: Inbox) -> None:
    """The owner is told once; sending afterwards is harmless."""
    call.send(b"stop")
    await inbox.ended.wait()
    call.send(b"more")
    call.close()

    assert ["the connection broke"] == inbox.ends


async def test_closing_ends_the_call_at_the_server(
    call: FrameCall, inbox: Inbox, echo: EchoServer
) -> None:
    """The server learns of it; the owner, who knows, is not told."""
    call.send(b"a")
    await inbox.messages.get()

    call.close()
    await echo.over.wait()
    call.send(b"more")
    call.close()

    assert [] == inbox.ends


async def test_nobody_listens(tmp_path: Path, inbox: Inbox) -> None:
    """Connecting fails; there is no end of what never began."""
    with pytest.raises(OSError, match="No such file"):
        await inbox.call().connect(str(tmp_path / "no"), METHOD)
    assert [] == inbox.ends


async def test_a_socket_that_nobody_serves_any_more(tmp_path: Path, inbox: Inbox) -> None:
    """What a server that was killed leaves behind refuses."""
    server = await asyncio.start_unix_server(lambda _reader, _writer: None, tmp_path / "s")
    server.close()

    with pytest.raises(ConnectionRefusedError):
        await inbox.call().connect(str(tmp_path / "s"), METHOD)
    assert [] == inbox.ends


async def test_a_server_that_hangs_up_at_once(tmp_path: Path, inbox: Inbox) -> None:
    """A process that dies still takes connections; one that says nothing is no server."""
    server = await asyncio.start_unix_server(lambda _, writer: writer.close(), tmp_path / "s")

    with pytest.raises(ConnectionError):
        await inbox.call().connect(str(tmp_path / "s"), METHOD)

    assert [] == inbox.ends
    server.close()


async def test_giving_up_on_a_server_that_never_answers(tmp_path: Path, inbox: Inbox) -> None:
    """Who is cancelled leaves no connection behind."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_frame(reader)
        asked.set()
        await reader.read()
        left.set()
        writer.close()

    server = await asyncio.start_unix_server(listen, tmp_path / "s")
    connecting = asyncio.create_task(inbox.call().connect(str(tmp_path / "s"), METHOD))
    await asked.wait()

    connecting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await connecting
    await left.wait()
    assert [] == inbox.ends
    server.close()


async def test_long_texts_to_the_sidecar(
    binary: Path, trained_path: Callable[[str], Path], tmp_path: Path, inbox: Inbox
) -> None:
    """Messages of megabytes, several at once, are answered in order."""
    texts = [b"many words and 12345 numbers " * times for times in (40_000, 1, 200_000)]
    with serve(trained_path("gpt2"), tmp_path / "s") as sidecar:
        call = inbox.call()
        await call.connect(str(local_socket(tmp_path / "s")), ENCODE.decode())
        for text in texts:
            request = pb.StreamEncodeRequest(requests=[pb.EncodeRequest(text=text)])
            call.send(request.SerializeToString())
        answers = [await inbox.messages.get() for _ in texts]
        call.close()
        ids = await asyncio.to_thread(sidecar.encode, [text.decode() for text in texts])

    responses = [pb.StreamEncodeResponse.FromString(answer) for answer in answers]
    assert ids == [list(one.results[0].response.token_ids) for one in responses]


async def test_the_sidecar_refuses_an_unknown_method(
    binary: Path, trained_path: Callable[[str], Path], tmp_path: Path, inbox: Inbox
) -> None:
    """A sidecar of another version is not waited for."""
    with (
        serve(trained_path("gpt2"), tmp_path / "s"),
        pytest.raises(ConnectionError, match="the connection broke"),
    ):
        await inbox.call().connect(str(local_socket(tmp_path / "s")), METHOD)
