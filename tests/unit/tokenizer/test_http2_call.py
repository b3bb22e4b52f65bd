"""One call over HTTP/2 by hand, against gRPC's own servers: Python's here, C++'s in the sidecar."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest

from service.tokenizer.http2_call import Http2Call
from tests.unit.tokenizer.running_sidecar import serve
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

PATH = "/test.Echo/Echo"


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


class EchoServer:
    """Gives each message back; `stop` ends the call with a status; tells when a call is over."""

    def __init__(self, directory: Path) -> None:
        self.address = f"unix:{directory / 'echo'}"
        self.over = asyncio.Event()
        self.server = grpc.aio.server(
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        )
        handler = grpc.stream_stream_rpc_method_handler(self._echo)
        self.server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("test.Echo", {"Echo": handler})]
        )
        self.server.add_insecure_port(self.address)

    async def _echo(self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext):
        # A cancelled call shows here as CancelledError, as GeneratorExit (it was still sending) or
        # as the end of the requests, whichever gRPC comes to first.
        try:
            async for request in requests:
                if request == b"stop":
                    await context.abort(grpc.StatusCode.ABORTED, "asked to")
                yield request
        finally:
            self.over.set()


@pytest.fixture
async def echo(tmp_path: Path) -> AsyncIterator[EchoServer]:
    """A running echo server."""
    server = EchoServer(tmp_path)
    await server.server.start()
    yield server
    await server.server.stop(None)


@pytest.fixture
async def inbox() -> Inbox:
    """Where messages and the end go."""
    return Inbox()


@pytest.fixture
async def call(echo: EchoServer, inbox: Inbox) -> AsyncIterator[Http2Call]:
    """A call of the echo server."""
    call = Http2Call(inbox.messages.put_nowait, inbox.end)
    await call.connect(echo.address, PATH)
    yield call
    call.close()


async def test_messages_come_back_in_order(call: Http2Call, inbox: Inbox) -> None:
    """Small, empty and many."""
    sent = [b"", b"a", *(str(i).encode() * 7 for i in range(500))]
    for message in sent:
        call.send(message)

    assert sent == [await inbox.messages.get() for _ in sent]


@pytest.mark.parametrize("size", [16_379, 16_380, 65_530, 65_531, 3_000_000])
async def test_flow_control(call: Http2Call, inbox: Inbox, size: int) -> None:
    """Messages larger than a frame and than the window arrive whole, both ways, more than once."""
    sent = [bytes([i]) * size for i in range(3)]
    for message in sent:
        call.send(message)

    assert sent == [await inbox.messages.get() for _ in sent]


async def test_the_server_ends_the_call(call: Http2Call, inbox: Inbox) -> None:
    """The owner is told once; sending afterwards is harmless."""
    call.send(b"stop")
    await inbox.ended.wait()
    call.send(b"more")

    assert ["the sidecar ended the call"] == inbox.ends


async def test_the_server_goes_away(call: Http2Call, inbox: Inbox, echo: EchoServer) -> None:
    """A server that stops ends the call."""
    call.send(b"a")
    await inbox.messages.get()

    await echo.server.stop(None)

    await inbox.ended.wait()


async def test_closing_ends_the_call_at_the_server(
    call: Http2Call, inbox: Inbox, echo: EchoServer
) -> None:
    """The server learns of it; the owner, who knows, is not told."""
    call.send(b"a")
    await inbox.messages.get()

    call.close()
    await echo.over.wait()

    assert [] == inbox.ends


async def test_an_unknown_method_ends_the_call(echo: EchoServer, inbox: Inbox) -> None:
    """A server of another version is not waited for."""
    call = Http2Call(inbox.messages.put_nowait, inbox.end)
    await call.connect(echo.address, "/test.Echo/Other")

    await inbox.ended.wait()


async def test_nobody_listens(tmp_path: Path, inbox: Inbox) -> None:
    """Connecting fails; there is no end of what never began."""
    with pytest.raises(OSError, match="No such file"):
        await Http2Call(inbox.messages.put_nowait, inbox.end).connect(f"unix:{tmp_path}/no", PATH)
    assert [] == inbox.ends


async def test_a_server_that_hangs_up_at_once(tmp_path: Path, inbox: Inbox) -> None:
    """A process that dies still takes connections; one that says nothing is no server."""
    server = await asyncio.start_unix_server(lambda _, writer: writer.close(), tmp_path / "s")
    call = Http2Call(inbox.messages.put_nowait, inbox.end)

    with pytest.raises(ConnectionError):
        await call.connect(f"unix:{tmp_path / 's'}", PATH)

    assert [] == inbox.ends
    server.close()


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    """Return a frame as a server sends it."""
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream_id) + payload


async def test_frames_cut_anywhere(tmp_path: Path, inbox: Inbox) -> None:
    """Whatever comes at once: a byte, padding, frames of other kinds, half messages."""
    message = b"\0\0\0\0\x05hello"
    pieces = (
        frame(4, 0, 0, b"")
        + frame(0, 0, 1, message[:3])
        + frame(6, 0, 0, b"12345678")
        + frame(0, 0x8, 1, b"\x02" + message[3:] + b"\0\0")
        + frame(0x77, 0, 1, b"unknown kind")
        + frame(0, 0, 1, message * 2 + message[:7])
        + frame(0, 0, 1, message[7:])
        + frame(3, 0, 1, b"\0\0\0\x08")
    )
    received = asyncio.Event()
    answers = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for i in range(len(pieces)):
            writer.write(pieces[i : i + 1])
            await writer.drain()
            await asyncio.sleep(0)
        while data := await reader.read(1000):
            answers.extend(data)
        writer.close()
        received.set()

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    call = Http2Call(inbox.messages.put_nowait, inbox.end)
    await call.connect(f"unix:{tmp_path / 's'}", PATH)
    await inbox.ended.wait()
    await received.wait()

    assert [b"hello"] * 4 == [inbox.messages.get_nowait() for _ in range(4)]
    assert frame(4, 1, 0, b"") in answers
    assert frame(6, 1, 0, b"12345678") in answers
    server.close()


async def test_a_compressed_message_ends_the_call(tmp_path: Path, inbox: Inbox) -> None:
    """We never said that we can read one."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(4, 0, 0, b"") + frame(0, 0, 1, b"\x01\0\0\0\x01a"))

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    call = Http2Call(inbox.messages.put_nowait, inbox.end)
    await call.connect(f"unix:{tmp_path / 's'}", PATH)
    await inbox.ended.wait()

    assert ["the sidecar sent a compressed message"] == inbox.ends
    assert inbox.messages.empty()
    server.close()


async def test_long_texts_to_the_sidecar(
    binary: Path, trained_path: Callable[[str], Path], tmp_path: Path, inbox: Inbox
) -> None:
    """The C++ server grants and takes windows in its own way."""
    text = b"many words and 12345 numbers " * 40_000
    message = pb.StreamEncodeRequest(requests=[pb.EncodeRequest(text=text)]).SerializeToString()
    with serve(trained_path("gpt2"), tmp_path / "s") as sidecar:
        call = Http2Call(inbox.messages.put_nowait, inbox.end)
        await call.connect(
            f"unix:{tmp_path / 's'}", "/triptych.sidecar.v1.TokenizerService/StreamEncode"
        )
        for _ in range(2):
            call.send(message)
        answers = [await inbox.messages.get() for _ in range(2)]
        call.close()
        ids = await asyncio.to_thread(sidecar.encode, [text.decode()])

    assert answers[0] == answers[1]
    result = pb.StreamEncodeResponse.FromString(answers[0]).results[0]
    assert ids == [list(result.response.token_ids)]
