"""MP4 boxes taken apart and put together again: no encoder would make the files of these tests."""

from __future__ import annotations

PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"moof", b"traf", b"edts"}


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4) + kind + body


def with_boxes(data: bytes, bodies: dict[bytes, bytes]) -> bytes:
    """Replace the body of every box of these names; those around them get their new sizes."""
    out, at = b"", 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + size]
        if kind in bodies:
            body = bodies[kind]
        elif kind in PARENTS:
            body = with_boxes(body, bodies)
        out += box(kind, body)
        at += size
    return out


def numbers(*values: int) -> bytes:
    """Return 32-bit numbers, as most fields are; a box's first one is its version and flags."""
    return b"".join(value.to_bytes(4) for value in values)
