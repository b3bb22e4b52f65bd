"""Finds what would cost Pillow much more than the picture's size tells, before it opens a file.

A progressive JPEG may go over the whole picture again in every scan of a few bytes, a TIFF's tile
may be larger than its picture, and its strips may be more than its rows. GIF and WebP are worse:
opening one already allocates its canvas. What Pillow 13 and the libraries under it bound themselves
is left to them: compressed texts and profiles of a PNG, the tags of EXIF data, a GIF's comments.

Tested by tests/unit/media/test_image_header.py.
"""

from __future__ import annotations

import os
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
# Each is a comment or the like, and read in Python; a bomb of them takes a second.
_MOST_BLOCKS = 1_000_000
# What no byte of compressed data can be (ISO 10918-1, B.1.1.2): a marker, but for restarts.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# TIFF 6.0, section 8 and 15.
_STRIP_OFFSETS, _TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS = 273, 322, 323, 324
# A row of tiles of 16 x 16 for each of the rows of a picture of 64 million pixels.
_MOST_TILES = 300_000


def check_header(medium: OpenMedium[ImagePart]) -> None:
    """Raise when opening or decoding a file costs more than a picture within the limits."""
    match medium.file_format:
        case FileFormat.JPEG:
            _check_scans(medium)
        case FileFormat.TIFF:
            _check_tiles(medium)
        case FileFormat.GIF:
            check_size(medium, *_gif_size(medium))
        case FileFormat.WEBP:
            check_size(medium, *_webp_size(medium.file))


def check_size(medium: OpenMedium[ImagePart], width: int, height: int) -> None:
    """Raise LimitExceededError when a picture is too large."""
    medium.check("image_side", max(width, height))
    medium.check("image_pixels", width * height)


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


def _gif_size(medium: OpenMedium[ImagePart]) -> tuple[int, int]:
    """Return the canvas's size as Pillow takes it: the first frame may widen it (GIF89a, 18-24)."""
    file = medium.file
    file.seek(6)
    screen_width, screen_height, flags = struct.unpack("<HHBxx", file.read(7))
    if flags & 0x80:
        file.seek(3 << (flags & 7) + 1, os.SEEK_CUR)
    for _ in range(_MOST_BLOCKS):
        match file.read(1):
            case b"," | b";" | b"" as block:
                break
            case b"!":
                file.seek(1, os.SEEK_CUR)
                _skip_sub_blocks(medium)
    else:
        raise medium.undecodable(f"the GIF file has more than {_MOST_BLOCKS} blocks before a frame")
    if block != b",":
        return screen_width, screen_height
    left, top, width, height = struct.unpack("<HHHH", file.read(8))
    return max(screen_width, left + width), max(screen_height, top + height)


def _skip_sub_blocks(medium: OpenMedium[ImagePart]) -> None:
    for _ in range(_MOST_BLOCKS):
        size = medium.file.read(1)
        if size in (b"", b"\0"):
            return
        medium.file.seek(size[0], os.SEEK_CUR)
    raise medium.undecodable(f"the GIF file has an extension of more than {_MOST_BLOCKS} blocks")


def _webp_size(file: BinaryIO) -> tuple[int, int]:
    """Return the canvas's size (RFC 9649, 2.5 to 2.7); an unknown kind is left to libwebp."""
    file.seek(12)
    kind, body = file.read(4), file.read(14)[4:]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", body[6:10]) if kind == b"VP8 " else (0, 0)
    return width & 0x3FFF, height & 0x3FFF


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
