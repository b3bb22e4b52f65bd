"""Small messages, with open files beside them, between processes of this server.

A message is a pickle in one packet of a Unix socket pair; both ends run this very program. What is
large travels as the descriptor of an anonymous file (`shared_pickle`).
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

# Linux takes packets up to the socket's send buffer, 208 KiB unless it was changed.
_PACKET_BYTES = 1 << 17
_MAX_DESCRIPTORS = 4


class Received(NamedTuple):
    """A message, and the descriptors that came with it; the receiver owns them."""

    message: Any
    fds: list[int]


class Channel:
    """One end of a connection. Messages are neither split nor joined."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Make a connection and return its two ends."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    @classmethod
    def from_fd(cls, fd: int) -> Self:
        """Take over an inherited descriptor."""
        return cls(socket.socket(fileno=fd))

    def fileno(self) -> int:
        """Return the descriptor, for `select` and for handing the end to a child."""
        return self._socket.fileno()

    def send(self, message: Any, fds: Sequence[int] = ()) -> None:  # noqa: ANN401 - any pickle
        """Send a message; the descriptors stay open here. Raises OSError when the peer is gone."""
        data = pickle.dumps(message)
        if len(data) > _PACKET_BYTES:
            raise ValueError(f"a message of {len(data)} bytes is too large; send a file")
        socket.send_fds(self._socket, [data], list(fds))

    def receive(self) -> Received | None:
        """Wait for a message; None when the peer is gone."""
        try:
            data, fds, _, _ = socket.recv_fds(self._socket, _PACKET_BYTES, _MAX_DESCRIPTORS)
        except ConnectionError:
            return None
        return Received(pickle.loads(data), fds) if data else None  # noqa: S301 - our own process

    def close(self) -> None:
        """Close this end. Harmless a second time."""
        self._socket.close()
