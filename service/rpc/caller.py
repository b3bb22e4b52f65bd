"""Who calls: whose uploads a call may use, and whose turn it is when the server is full.

Not a check of rights: it only keeps callers apart. In this order:

1. what the caller's certificate proves (mutual TLS): its subject alternative names, or its
   common name where it has none;
2. what the operator's own mesh says, in the metadata that `--caller-header` names. The mesh must
   set it on every call and drop what the client sent; a client that can set it itself can be
   anybody;
3. nothing: the empty text. All such callers are one to this server: they share what they
   upload, and are served first come, first served.
"""

from __future__ import annotations

from typing import Any

from service.errors import InvalidRequestError


def caller_of(context: Any, header: str | None) -> str:
    """Return a text that is the caller's own, or "" when nothing tells who calls.

    Raises InvalidRequestError when the header comes more than once: one of them may be forged.
    """
    identities = context.peer_identities()
    if identities:
        names = sorted(_text(identity) for identity in identities)
        return "\n".join(("certificate", context.peer_identity_key() or "", *names))
    if header is None:
        return ""
    name = header.lower()
    values = [_text(value) for key, value in context.invocation_metadata() if key == name]
    if len(values) > 1:
        raise InvalidRequestError(name, f"came {len(values)} times; it must come once")
    return f"header\n{values[0]}" if values and values[0] else ""


def _text(value: str | bytes) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
