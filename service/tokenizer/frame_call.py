"""One long-lived call over a plain Unix socket of the sidecar, for as long as both live.

What it is: frames, each of 4 bytes that tell its size (the highest first) and so many bytes. The
first names the method and is answered by an empty one; behind it each frame out is a request, and
each frame in a response, in the order of the requests. A call that ends does not say why: the
connection is closed, and the sidecar's log tells.

Why not gRPC: what it does for a message costs each side more than all else that the message asks
for. Measured by benchmarks/sidecar_calls.py; decided in docs/adr/0006-frames-for-two-calls.md.

Tested by tests/unit/tokenizer/test_frame_call.py; the sidecar's half by test_frame_server.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_HEAD_BYTES = 4


class FrameCall(asyncio.Protocol):
    """One call. `send` at any time after `connect`; messages come to `on_message`, in order.

    `on_end` is called once, with a reason for people, when the call is over for whatever cause but
    `close`, and never when `connect` has failed. Both run in the event loop and must not raise.
    """

    def __init__(self, on_message: Callable[[bytes], None], on_end: Callable[[str], None]) -> None:
        """Prepare; nothing is sent."""
        self._on_message = on_message
        self._on_end = on_end
        self._take_frame: Callable[[bytes], None] = self._take_answer  # then: on_message
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()  # frames of which the last is not complete
        self._answered: asyncio.Future[None] | None = None

    async def connect(self, path: str, method: str) -> None:
        """Connect to the socket at `path` and call `method`; raise OSError. Once.

        Waits for the sidecar's answer: a process that is dying still takes connections.
        """
        loop = asyncio.get_running_loop()
        self._answered = loop.create_future()
        try:
            await loop.create_unix_connection(lambda: self, path)
            self.send(method.encode())
            await self._answered
        except asyncio.CancelledError:
            self.close()
            raise

    def send(self, message: bytes) -> None:
        """Send a message, as soon as the sidecar takes it. Harmless after the end."""
        if self._transport is not None:
            self._transport.write(len(message).to_bytes(_HEAD_BYTES, "big") + message)

    def close(self) -> None:
        """End the call and close the connection; what was not sent yet is dropped."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to send."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type only
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take all frames that are complete."""
        # Nearly always it is exactly one.
        if not self._received and len(data) == _end_of_frame(data):
            self._take_frame(data[_HEAD_BYTES:])
            return
        self._received += data
        while len(self._received) >= (end := _end_of_frame(self._received)):
            frame = bytes(self._received[_HEAD_BYTES:end])
            del self._received[:end]
            self._take_frame(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the call is over, unless we closed it."""
        if self._transport is None:
            return
        self._transport = None
        reason = f"the connection broke{f': {exc}' if exc else ''}"
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError(reason))
        else:
            self._on_end(reason)

    def _take_answer(self, _frame: bytes) -> None:
        self._take_frame = self._on_message
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)


def _end_of_frame(data: bytes | bytearray) -> int:
    """Return where the first frame ends; of fewer bytes than a size has, more than there are."""
    return _HEAD_BYTES + int.from_bytes(data[:_HEAD_BYTES], "big")
