"""Data URIs (RFC 2397) with base64 content.

    "data:image/png;base64,iVBORw0KGgo="  ->  "image/png", 8 bytes

As strict as vLLM's own loader about the base64 (RFC 4648, section 4: the standard alphabet, padded,
no blanks; browsers forgive more), and as lenient as the RFC about the rest: `data` and `base64` in
any case, parameters before `base64` ignored, percent-encoded characters in the content, such as
`%2B` and `%3D`. No media type in the URI means no claim, not `text/plain`.

A URI may be hundreds of megabytes long, so it is decoded piece by piece, and what looks at all of
it at once is one pass of memchr. Tested by tests/unit/media/sources/test_data_uri.py.
"""

from __future__ import annotations

import binascii
import dataclasses
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from service.errors import InvalidRequestError

# What is decoded at once. The standard library needs 60 bytes of memory for each escape.
_PIECE_CHARACTERS = 64 << 10
_MAX_HEADER_LENGTH = 1024
# RFC 6838, 4.2.
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_HEADER = re.compile(rf"data:({_NAME}/{_NAME})?(?:;[^;,]+)*?;base64", re.IGNORECASE)
_ESCAPE_LENGTH = 3
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PADDING = re.compile(r"(=|%3D){0,2}\Z", re.IGNORECASE)
_LONGEST_PADDING = len("%3D%3D")
_QUANTUM = 4


@dataclass(frozen=True, slots=True)
class Base64Uri:
    """A data URI whose content is still encoded.

    `mime_type` is the caller's claim, `size_bytes` what well-formed content will have.
    """

    field: str
    mime_type: str | None
    size_bytes: int
    uri: str = dataclasses.field(repr=False)
    content_at: int

    def pieces(self) -> Generator[bytes, None, None]:
        """Decode the content; raises InvalidRequestError where it is no base64."""
        rest = b""
        is_padded = False
        for text in self._unescaped():
            if is_padded:
                raise InvalidRequestError(self.field, "goes on behind its padding")
            quanta = rest + text
            whole = len(quanta) - len(quanta) % _QUANTUM
            rest = quanta[whole:]
            is_padded = quanta.endswith(b"=", 0, whole)
            yield self._decoded(quanta[:whole])
        if rest:
            self._decoded(rest)

    def _decoded(self, quanta: bytes) -> bytes:
        try:
            return binascii.a2b_base64(quanta, strict_mode=True)
        except binascii.Error:
            raise InvalidRequestError(
                self.field, "is not padded base64 of the standard alphabet, without blanks"
            ) from None

    def _unescaped(self) -> Iterator[bytes]:
        """Give the content without percent-encoding; no escape is cut in two."""
        position, end = self.content_at, len(self.uri)
        while position < end:
            text = self.uri[position : position + _PIECE_CHARACTERS]
            position += len(text)
            cut = text.find("%", max(0, len(text) - _ESCAPE_LENGTH + 1))
            if cut > 0 and position < end:
                position -= len(text) - cut
                text = text[:cut]
            if _BROKEN_ESCAPE.search(text):
                raise InvalidRequestError(self.field, "has a percent sign that encodes nothing")
            yield unquote_to_bytes(text)


def parse_data_uri(part_field: str, uri: str) -> Base64Uri:
    """Read a URI up to its content, and tell how large that will be, decoding nothing.

    Raises InvalidRequestError when it is no data URI with base64 content.
    """
    field = f"{part_field}.source.data_uri"
    comma = uri.find(",", 0, _MAX_HEADER_LENGTH)
    match = _HEADER.fullmatch(uri, 0, comma) if comma >= 0 else None
    if match is None:
        raise InvalidRequestError(field, "must begin like `data:image/png;base64,`")
    at = comma + 1
    characters = len(uri) - at - (_ESCAPE_LENGTH - 1) * uri.count("%", at)
    padding = _PADDING.search(uri, max(at, len(uri) - _LONGEST_PADDING))
    padded = padding[0].count("=") + padding[0].count("%") if padding is not None else 0
    return Base64Uri(field, match[1], characters * 3 // _QUANTUM - padded, uri, at)
