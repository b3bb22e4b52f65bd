"""The settings of a channel, the same for both clients."""

from __future__ import annotations

DEFAULT_TARGET = "localhost:50051"
DEFAULT_MAX_MESSAGE_BYTES = 64 * 1024 * 1024

# A server that starts takes a minute; gRPC's own two minutes between attempts would miss it.
_MAX_RECONNECT_BACKOFF_MS = 2000


def channel_options(max_message_bytes: int) -> list[tuple[str, int]]:
    """Return gRPC's channel arguments."""
    return [
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", _MAX_RECONNECT_BACKOFF_MS),
    ]
