"""Undoes a response's Content-Encoding (RFC 9110, 8.4.1), in small pieces.

`identity` is what we ask for; some hosts send gzip or deflate all the same. A bomb is a stream
whose output is a thousand times its input: here its output comes in pieces of at most PIECE_BYTES,
and whoever takes them stops at the limit. Other codings are refused.
Tested by tests/unit/media/fetch/test_content_coding.py.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

PIECE_BYTES = 64 << 10

_GZIP_BITS = 16 + zlib.MAX_WBITS
_RAW_BITS = -zlib.MAX_WBITS
# RFC 1950: the method in the low half of the first byte, and the pair divisible by 31.
_ZLIB_METHOD = 8
_ZLIB_MODULUS = 31


class CodingError(Exception):
    """The body is not what its Content-Encoding says."""


class Decoder(Protocol):
    """Takes a body as it comes, gives its content."""

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Give the content of the next chunk; raises CodingError."""

    def finish(self) -> None:
        """Say that the body has ended; raises CodingError when it must not end here."""


def decoder_for(content_encoding: str) -> Decoder | None:
    """Return the decoder for a header's value (empty: none is set), None for others."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Inflater(_GZIP_BITS)
        case "deflate":
            return _Inflater(None)
    return None


class _Identity:
    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        pass


class _Inflater:
    """gzip with one or several members (RFC 1952), or zlib.

    `deflate` means zlib, but some hosts send it without zlib's header: `wbits` None looks at the
    first two bytes.
    """

    def __init__(self, wbits: int | None) -> None:
        self._wbits = wbits
        self._head = b""
        self._inflate = zlib.decompressobj(wbits) if wbits is not None else None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            self._head += chunk
            if len(self._head) < 2:  # noqa: PLR2004 - zlib's header
                return
            chunk = self._head
            self._inflate = zlib.decompressobj(_deflate_bits(chunk))
        while chunk:
            if self._inflate.eof:
                if self._wbits != _GZIP_BITS:
                    raise CodingError("bytes behind the end")
                self._inflate = zlib.decompressobj(_GZIP_BITS)
            yield _some(self._inflate, chunk)
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data
        # All input is taken, but some output may be held back.
        while not self._inflate.eof and (piece := _some(self._inflate, b"")):
            yield piece

    def finish(self) -> None:
        if self._inflate is None or not self._inflate.eof:
            raise CodingError("the end is missing")


def _deflate_bits(head: bytes) -> int:
    is_zlib = head[0] & 0xF == _ZLIB_METHOD and not int.from_bytes(head[:2]) % _ZLIB_MODULUS
    return zlib.MAX_WBITS if is_zlib else _RAW_BITS


def _some(inflate: zlib._Decompress, chunk: bytes) -> bytes:
    try:
        return inflate.decompress(chunk, PIECE_BYTES)
    except zlib.error as exc:
        raise CodingError(str(exc)) from exc
