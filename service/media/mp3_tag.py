"""Passes over ID3v2 tags: FFmpeg would read the pictures and unpack what is compressed in them."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

_TAG_HEADER_BYTES = 10
_HAS_FOOTER = 0x10


def without_id3_tag(file: BinaryIO) -> BinaryIO:
    """Return a view of the file that begins behind its ID3v2 tags (ID3v2.4.0, 3.1)."""
    start = 0
    while True:
        file.seek(start)
        header = file.read(_TAG_HEADER_BYTES)
        if not header.startswith(b"ID3") or len(header) < _TAG_HEADER_BYTES:
            break
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        footer = _TAG_HEADER_BYTES if header[5] & _HAS_FOOTER else 0
        start += _TAG_HEADER_BYTES + size + footer
    return cast("BinaryIO", io.BufferedReader(_Tail(file, start), 1 << 16))


class _Tail(io.RawIOBase):
    """What a file holds from `start` on."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = start
        file.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET:
            offset += self._start
        return max(0, self._file.seek(offset, whence) - self._start)

    def tell(self) -> int:
        return self._file.tell() - self._start
