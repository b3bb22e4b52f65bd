"""One bidirectional gRPC call on one connection, for as long as both live.

What it is: the client's half of gRPC over HTTP/2, of which a single long-lived call needs little.
Out go the preface, one HEADERS frame, and a DATA frame for each message; in come DATA frames.
SETTINGS and PING are acknowledged, flow control is obeyed, and HEADERS or RST_STREAM on the stream
mean that the call is over. What ended it is not decoded (the headers are compressed): our caller
asks again on a new call, or by an ordinary one, which tells.

Why not grpc.aio: it takes 110 to 250 us of processor time for a message out and one in, more than
all else that a step of decoding costs; this takes 25. Measured by benchmarks/sidecar_calls.py;
decided in docs/adr/0003-one-call-without-grpc-aio.md. All other calls use grpc.aio.

Tested by tests/unit/tokenizer/test_http2_call.py, against gRPC's C++ and Python servers.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
_END_STREAM, _ACK, _END_HEADERS, _PADDED = 0x1, 0x1, 0x4, 0x8
_INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE = 4, 5  # settings
_FRAME_HEADER_BYTES = 9
_PREFIX_BYTES = 5  # of a gRPC message: compressed or not, and its size
_STREAM = 1  # the id of the one stream
_CANCEL = struct.pack(">I", 8)
_LARGEST_WINDOW = (1 << 31) - 1
_LARGEST_FRAME = (1 << 24) - 1
_DEFAULT_WINDOW = 65_535
_DEFAULT_FRAME = 16_384
_GIVE_BACK_BYTES = 1 << 20  # so much is received before the peer gets window for it


class Http2Call(asyncio.Protocol):
    """One call. `send` at any time after `connect`; messages come to `on_message`, in order.

    `on_end` is called once, with a reason for people, when the call is over for whatever cause but
    `close`, and never when `connect` has failed. Both run in the event loop and must not raise.
    """

    def __init__(self, on_message: Callable[[bytes], None], on_end: Callable[[str], None]) -> None:
        """Prepare; nothing is sent."""
        self._on_message = on_message
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._path = b""
        self._received = b""  # the beginning of a frame
        self._message = bytearray()  # the beginning of a message
        self._outgoing = bytearray()  # what flow control holds back
        self._stream_window = self._connection_window = self._initial_window = _DEFAULT_WINDOW
        self._frame_limit = _DEFAULT_FRAME
        self._unreturned = 0  # received bytes that the peer has no new window for
        self._answered: asyncio.Future[None] | None = None

    async def connect(self, address: str, path: str) -> None:
        """Connect to `address` (unix:PATH or HOST:PORT) and call `path`; raise OSError.

        Once. Waits for the first that a server says: a process that is dying still takes
        connections.
        """
        self._path = path.encode()
        loop = asyncio.get_running_loop()
        self._answered = loop.create_future()
        if address.startswith("unix:"):
            await loop.create_unix_connection(lambda: self, address.removeprefix("unix:"))
        else:
            host, _, port = address.rpartition(":")
            await loop.create_connection(lambda: self, host.strip("[]"), int(port))
        try:
            await self._answered
        except asyncio.CancelledError:
            self.close()
            raise

    def send(self, message: bytes) -> None:
        """Send a message as soon as flow control allows. Harmless after the end."""
        if self._transport is None:
            return
        size = len(message) + _PREFIX_BYTES
        if not self._outgoing and size <= self._may_send():
            self._count_sent(size)
            head = struct.pack(">IBIBI", size << 8, 0, _STREAM, 0, len(message))
            self._transport.write(head + message)
            return
        self._outgoing += struct.pack(">BI", 0, len(message)) + message
        self._send_what_fits()

    def close(self) -> None:
        """Cancel the call and close the connection."""
        if self._transport is not None:
            self._transport.write(_frame(_RST_STREAM, 0, _STREAM, _CANCEL))
            self._transport.close()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the call. Nothing needs to be waited for: HTTP/2 lets the client go first."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type only
        self._transport = transport
        settings = struct.pack(
            ">HIHI", _INITIAL_WINDOW_SIZE, _LARGEST_WINDOW, _MAX_FRAME_SIZE, _LARGEST_FRAME
        )
        transport.write(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, settings)
            + _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _LARGEST_WINDOW - _DEFAULT_WINDOW))
            + _frame(_HEADERS, _END_HEADERS, _STREAM, _request_headers(self._path))
        )

    def data_received(self, data: bytes) -> None:
        """Take all frames that are complete."""
        received = self._received + data if self._received else data
        begin = 0
        while len(received) - begin >= _FRAME_HEADER_BYTES:
            word, flags, stream_id = struct.unpack_from(">IBI", received, begin)
            end = begin + _FRAME_HEADER_BYTES + (word >> 8)
            if end > len(received):
                break
            payload = received[begin + _FRAME_HEADER_BYTES : end]
            self._take_frame(word & 0xFF, flags, stream_id, payload)
            begin = end
        self._received = received[begin:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the call is over, unless we closed it."""
        self._end(f"the connection broke{f': {exc}' if exc else ''}")

    def _take_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == _DATA and stream_id == _STREAM:
            self._take_data(flags, payload)
        elif kind == _SETTINGS and not flags & _ACK:
            self._take_settings(payload)
        elif kind == _WINDOW_UPDATE:
            self._take_window(stream_id, int.from_bytes(payload, "big"))
        elif kind == _PING and not flags & _ACK:
            self._write(_frame(_PING, _ACK, 0, payload))
        elif kind == _RST_STREAM or (kind == _HEADERS and flags & _END_STREAM):
            self._end("the sidecar ended the call")
        # GOAWAY: the call may go on, and its end will come as one of the above.

    def _take_data(self, flags: int, payload: bytes) -> None:
        self._give_window_back(len(payload))
        if flags & _PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        # Nearly always a frame is exactly one message.
        if not self._message and len(payload) >= _PREFIX_BYTES:
            size = int.from_bytes(payload[1:_PREFIX_BYTES], "big")
            if len(payload) == _PREFIX_BYTES + size and not payload[0]:
                self._on_message(payload[_PREFIX_BYTES:])
                return
        self._message += payload
        while len(self._message) >= _PREFIX_BYTES:
            end = _PREFIX_BYTES + int.from_bytes(self._message[1:_PREFIX_BYTES], "big")
            if self._message[0]:  # we never said that we could read it
                self._end("the sidecar sent a compressed message")
                return
            if len(self._message) < end:
                return
            message = bytes(self._message[_PREFIX_BYTES:end])
            del self._message[:end]
            self._on_message(message)

    def _give_window_back(self, size: int) -> None:
        self._unreturned += size
        if self._unreturned >= _GIVE_BACK_BYTES:
            increment = struct.pack(">I", self._unreturned)
            self._unreturned = 0
            for stream_id in (0, _STREAM):
                self._write(_frame(_WINDOW_UPDATE, 0, stream_id, increment))

    def _take_settings(self, payload: bytes) -> None:
        for setting, value in struct.iter_unpack(">HI", payload):
            if setting == _INITIAL_WINDOW_SIZE:
                self._stream_window += value - self._initial_window
                self._initial_window = value
            elif setting == _MAX_FRAME_SIZE:
                self._frame_limit = value
        self._write(_frame(_SETTINGS, _ACK, 0))
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)
        self._send_what_fits()

    def _take_window(self, stream_id: int, increment: int) -> None:
        if stream_id == _STREAM:
            self._stream_window += increment
        elif stream_id == 0:
            self._connection_window += increment
        self._send_what_fits()

    def _may_send(self) -> int:
        return min(self._stream_window, self._connection_window, self._frame_limit)

    def _count_sent(self, size: int) -> None:
        self._stream_window -= size
        self._connection_window -= size

    def _send_what_fits(self) -> None:
        while self._outgoing and (size := min(self._may_send(), len(self._outgoing))) > 0:
            self._count_sent(size)
            self._write(_frame(_DATA, 0, _STREAM, bytes(self._outgoing[:size])))
            del self._outgoing[:size]

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _end(self, reason: str) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            if self._answered is not None and not self._answered.done():
                self._answered.set_exception(ConnectionError(reason))
            else:
                self._on_end(reason)


def _frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream_id) + payload


def _request_headers(path: bytes) -> bytes:
    """Return the header block: each name and value as it is, which HPACK allows."""
    headers = (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
    )
    return b"".join(
        bytes((0, len(name))) + name + bytes((len(value),)) + value for name, value in headers
    )
