"""Finds what would cost Pillow much more than the picture's size tells, before it opens a file.

A progressive JPEG may go over the whole picture again in every scan of a few bytes, a TIFF's tile
may be larger than its picture, and its strips may be more than its rows. What Pillow 13 and the
libraries under it bound themselves is left to them: compressed texts and profiles of a PNG, the
tags of EXIF data, the comments of a GIF.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from service.domain.conversation import ImagePart
from service.media.file_format import FileFormat
from service.media.open_medium import OpenMedium

# An encoder makes some ten.
_MOST_SCANS = 100
# A profile and a preview of 64 KB each take some hundred.
_MOST_SEGMENTS = 10_000
# What no byte of compressed data can be (ISO 10918-1, B.1.1.2): a marker, but for restarts.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# TIFF 6.0, section 8 and 15.
_STRIP_OFFSETS, _TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS = 273, 322, 323, 324
# A row of tiles of 16 x 16 for each of the rows of a picture of 64 million pixels.
_MOST_TILES = 300_000


def check_header(medium: OpenMedium[ImagePart]) -> None:
    """Raise when a JPEG or a TIFF is built so that it costs more than a picture of its size."""
    if medium.file_format is FileFormat.JPEG:
        _check_scans(medium)
    elif medium.file_format is FileFormat.TIFF:
        _check_tiles(medium)


def _check_scans(medium: OpenMedium[ImagePart]) -> None:
    scans = 0
    for segments, marker in enumerate(_jpeg_markers(medium.file)):
        scans += marker == _START_OF_SCAN
        if scans > _MOST_SCANS or segments > _MOST_SEGMENTS:
            raise medium.undecodable(
                f"the JPEG file has more than {_MOST_SCANS} scans or {_MOST_SEGMENTS} segments"
            )


def _jpeg_markers(file: BinaryIO) -> Iterator[int]:
    """Yield the markers up to the end of the (first) picture, without those in compressed data."""
    at = 2
    while (found := _next_marker(file, at)) is not None:
        at, marker = found
        yield marker
        if marker == _END_OF_IMAGE:
            return
        file.seek(at + 2)
        at += 2 + int.from_bytes(file.read(2))


def _next_marker(file: BinaryIO, at: int) -> tuple[int, int] | None:
    """Return where the next marker at or behind `at` stands, and its second byte."""
    while True:
        file.seek(at)
        piece = file.read(1 << 16)
        if match := _MARKER.search(piece):
            return at + match.start(), piece[match.start() + 1]
        if len(piece) < 2:  # noqa: PLR2004 - a marker has two bytes
            return None
        at += len(piece) - 1


def _check_tiles(medium: OpenMedium[ImagePart]) -> None:
    counts, values = dict[int, int](), dict[int, int]()
    for tag, count, value in _tiff_entries(medium.file):
        counts[tag], values[tag] = count, value
    tile_pixels = values.get(_TILE_WIDTH, 0) * values.get(_TILE_LENGTH, 0)
    medium.check("image_pixels", tile_pixels)
    tiles = max(counts.get(_STRIP_OFFSETS, 0), counts.get(_TILE_OFFSETS, 0))
    if tiles > _MOST_TILES:
        raise medium.undecodable(
            f"the TIFF file has {tiles} strips or tiles; {_MOST_TILES} are the most"
        )


def _tiff_entries(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Yield tag, count and value (or offset) of the first directory (TIFF 6.0, section 2)."""
    file.seek(0)
    header = file.read(8)
    order = "<" if header.startswith(b"II") else ">"
    file.seek(struct.unpack(order + "4xI", header)[0])
    (entries,) = struct.unpack(order + "H", file.read(2))
    for _ in range(entries):
        entry = file.read(12)
        tag, kind, count = struct.unpack(order + "HHI", entry[:8])
        is_short = kind == 3  # noqa: PLR2004 - SHORT: two bytes, at the field's beginning
        yield tag, count, struct.unpack(order + ("H2x" if is_short else "I"), entry[8:])[0]
