"""Counts the samples that an MP4's tables claim, before FFmpeg builds an index of them.

A table of equal samples is 20 bytes long, whatever its count says; FFmpeg's index has 24 bytes for
each. So a file of 300 bytes could take gigabytes. FFmpeg takes these tables wherever they lie, so
they are searched for by name, in everything but the samples themselves. The boxes are those of
ISO 14496-12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from service.domain.conversation import AudioPart, VideoPart
from service.media.open_medium import OpenMedium

# An hour at 240 frames a second with its sound is one million.
_MOST_SAMPLES = 2_000_000
# An hour in fragments of one frame has some hundred thousand.
_MOST_BOXES = 1_000_000
_TABLES = re.compile(rb"stsz|stz2|trun|cmov")
# Where each table's count is, behind its name. Another of its tables may follow at once.
_COUNT_OFFSETS = {b"stsz": 12, b"stz2": 12, b"trun": 8}
_COUNT_END = 16
_CHUNK_BYTES = 1 << 20


def check_sample_counts(medium: OpenMedium[AudioPart] | OpenMedium[VideoPart]) -> None:
    """Raise MediaUndecodableError when the tables claim too many samples."""
    samples = 0
    for boxes, (kind, start, end) in enumerate(_top_boxes(medium.file, medium.size_bytes)):
        if boxes > _MOST_BOXES:
            raise medium.undecodable(f"the MP4 file has more than {_MOST_BOXES} boxes")
        if kind == b"mdat":
            continue
        for table, count in _tables(medium.file, start, end):
            if table == b"cmov":
                raise medium.undecodable("the MP4 file's tables are compressed")
            samples += count
            if samples > _MOST_SAMPLES:
                raise medium.undecodable(
                    f"the MP4 file's tables claim {samples} samples; {_MOST_SAMPLES} are the most"
                )


def _top_boxes(file: BinaryIO, size_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the outermost boxes: name, and where the body begins and ends.

    Where FFmpeg reads no further, at what is no box, this ends too.
    """
    at = 0
    while at + 8 <= size_bytes:
        file.seek(at)
        header = file.read(16)
        size, kind, body = int.from_bytes(header[:4]), header[4:8], at + 8
        if size == 1:
            size, body = int.from_bytes(header[8:16]), at + 16
        end = at + size if size else size_bytes
        if end < body:
            return
        yield kind, body, min(end, size_bytes)
        at = end


def _tables(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield the name and the count of each table between two places."""
    while start < end:
        file.seek(start)
        # What a piece's last bytes begin is read whole.
        piece = file.read(min(end - start, _CHUNK_BYTES) + _COUNT_END)
        for match in _TABLES.finditer(piece, 0, _CHUNK_BYTES + 3):
            at = match.start() + _COUNT_OFFSETS.get(match.group(), 0)
            yield match.group(), int.from_bytes(piece[at : at + 4])
        start += _CHUNK_BYTES
