"""Pictures that lie, swell or hide something, each made by hand from a few bytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from service.domain.conversation import Modality
from tests.unit.media.files import encode_image, gradient, sample
from tests.unit.media.hostile import ANY, DECODED, UNDECODABLE, HostileFile, decoded, refused

PNG_MARK = b"\x89PNG\r\n\x1a\n"
_IMAGE = Modality.IMAGE


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, rows: bytes, *, before: bytes = b"", depth: int = 1) -> bytes:
    """Return a grey PNG; `rows` with a filter byte before each, `before` its pixels more chunks."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows, 9))
    return PNG_MARK + body + chunk(b"IEND", b"")


def black_png(width: int, height: int) -> bytes:
    """Return a PNG of one bit a pixel, which is a thousandth of that in the file."""
    return png(width, height, (b"\0" + bytes((width + 7) // 8)) * height)


def gif(screen: tuple[int, int], frame: tuple[int, int], before: bytes = b"") -> bytes:
    """Return a GIF of one frame that stops after a few pixels."""
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    image = b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x4c\x01\x00"
    return head + before + image + b";"


def tiff(entries: list[tuple[int, int, int, int]], tail: bytes = b"", next_at: int = 0) -> bytes:
    """Return a TIFF of one directory: tag, type, count and value; `tail` stands at byte 4096."""
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    data = b"II*\0\x08\0\0\0" + directory + struct.pack("<I", next_at)
    return data.ljust(4096, b"\0") + tail


def grey_tiff(width: int, height: int, **tags: int) -> bytes:
    """Return a grey TIFF with one deflated strip of black, or with other values of its tags."""
    strip = zlib.compress(bytes(min(width * height, 1 << 24)))
    values = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 273: 4096, 277: 1, 278: height}
    values |= {279: len(strip)} | {int(tag[1:]): value for tag, value in tags.items()}
    # The directory follows itself, for ever: only the first is asked for.
    return tiff([(tag, 4, 1, value) for tag, value in values.items()], strip, next_at=8)


def endless_scans() -> bytes:
    """Return a progressive JPEG whose last scan is there five thousand times."""
    data = encode_image(gradient(64, 64), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * 5_000 + data[-2:]


def exif_of_many_tags() -> bytes:
    """Return EXIF data in which two thousand tags each claim the same 60 KB."""
    entries = b"".join(struct.pack("<HHII", 40_000 + n, 7, 60_000, 8) for n in range(2_000))
    directory = struct.pack("<H", 2_000) + entries + bytes(4)
    return b"Exif\0\0II*\0\x08\0\0\0" + directory.ljust(60_000, b"\0")


def text_chunks(count: int) -> bytes:
    packed = zlib.compress(bytes(1_000_000), 9)
    return b"".join(chunk(b"zTXt", b"key%d\0\0" % n + packed) for n in range(count))


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "text" * 100)
    return buffer.getvalue()


def claiming_webp(width: int, height: int, kind: bytes) -> bytes:
    """Return a WebP whose canvas (`VP8X`) or picture (`VP8L`) claims a size."""
    options = {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"} if kind == b"VP8X" else {}
    data = bytearray(encode_image(gradient(), "WEBP", lossless=True, **options))
    at = data.index(kind) + 8
    if kind == b"VP8X":
        data[at + 4 : at + 10] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(
            3, "little"
        )
    else:
        bits = int.from_bytes(data[at + 1 : at + 5], "little") >> 28 << 28
        bits |= (width - 1) | (height - 1) << 14
        data[at + 1 : at + 5] = bits.to_bytes(4, "little")
    return bytes(data)


def claiming_avif(width: int, height: int) -> bytes:
    data = bytearray(sample("avif").data)
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def claiming_bmp(width: int, height: int, *, bits: int = 24, compression: int = 0) -> bytes:
    data = bytearray(sample("bmp").data)
    data[18:26] = struct.pack("<ii", width, height)
    data[28:34] = struct.pack("<HI", bits, compression)
    return bytes(data)


def claiming_jpeg(width: int, height: int) -> bytes:
    data = sample("jpeg").data
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def turned_and_broken() -> bytes:
    exif = Image.Exif()
    exif[0x112] = 99
    return encode_image(gradient(), "JPEG", exif=exif)


PICTURES: dict[str, Callable[[], HostileFile]] = {
    # Small files of large pictures.
    "png of 64 megapixels": lambda: decoded(_IMAGE, black_png(8000, 8000)),
    "png of 65 megapixels": lambda: refused(_IMAGE, black_png(8125, 8000), "image_pixels"),
    "png of 3600 megapixels": lambda: refused(_IMAGE, png(60_000, 60_000, b""), "image_side"),
    "png as wide as can be written": lambda: refused(
        _IMAGE, png(0x7FFFFFFF, 0x7FFFFFFF, b""), "image_side", UNDECODABLE
    ),
    "png with a negative width": lambda: refused(
        _IMAGE, png(0x80000001, 4, b"\0\0" * 4), "image_side", UNDECODABLE
    ),
    "gif with a huge screen": lambda: refused(_IMAGE, gif((65_535, 65_535), (1, 1)), "image_side"),
    "gif with a frame larger than the screen": lambda: refused(
        _IMAGE, gif((1, 1), (60_000, 60_000)), "image_side"
    ),
    # Pillow would fill the room that such a frame leaves behind when it opens the file.
    "gif with a huge frame that is disposed of": lambda: refused(
        _IMAGE, gif((1, 1), (45_000, 45_000), b"!\xf9\x04\x08\0\0\0\0"), "image_side"
    ),
    "gif of 60 megapixels that breaks off": lambda: refused(
        _IMAGE, gif((7_700, 7_700), (7_700, 7_700)), UNDECODABLE
    ),
    "webp with a huge canvas": lambda: refused(
        _IMAGE, claiming_webp(1 << 24, 200, b"VP8X"), "image_side", UNDECODABLE
    ),
    "webp of 268 megapixels": lambda: refused(
        _IMAGE, claiming_webp(16_383, 16_383, b"VP8L"), "image_pixels"
    ),
    "webp that claims 60 megapixels": lambda: refused(
        _IMAGE, claiming_webp(7_700, 7_700, b"VP8L"), UNDECODABLE
    ),
    "tiff of 3600 megapixels": lambda: refused(_IMAGE, grey_tiff(60_000, 60_000), "image_side"),
    "tiff of 64 megapixels that breaks off": lambda: refused(
        _IMAGE, grey_tiff(8_000, 8_000), UNDECODABLE
    ),
    "tiff of 16 megapixels": lambda: decoded(_IMAGE, grey_tiff(4_000, 4_000)),
    "tiff with a tile larger than the picture": lambda: refused(
        _IMAGE, grey_tiff(1, 1, t322=40_000, t323=40_000, t324=4096, t325=16), "image_pixels"
    ),
    "bmp of 3600 megapixels": lambda: refused(_IMAGE, claiming_bmp(60_000, 60_000), "image_side"),
    "bmp of 60 megapixels that breaks off": lambda: refused(
        _IMAGE, claiming_bmp(7_700, 7_700), UNDECODABLE
    ),
    "bmp packed in runs that breaks off": lambda: HostileFile(
        _IMAGE, claiming_bmp(7_700, 7_700, bits=8, compression=1), (DECODED, UNDECODABLE)
    ),
    "avif of 1600 megapixels": lambda: refused(
        _IMAGE, claiming_avif(40_000, 40_000), "image_side", UNDECODABLE
    ),
    # libavif scales the picture to what the container says.
    "avif that claims 60 megapixels": lambda: HostileFile(
        _IMAGE, claiming_avif(7_700, 7_700), (DECODED, UNDECODABLE)
    ),
    "jpeg of 4294 megapixels": lambda: refused(_IMAGE, claiming_jpeg(65_535, 65_535), "image_side"),
    "jpeg that claims 60 megapixels": lambda: HostileFile(
        _IMAGE, claiming_jpeg(7_700, 7_700), (DECODED, UNDECODABLE)
    ),
    # What swells beside the pixels.
    "png whose pixels swell to 200 MB": lambda: HostileFile(
        _IMAGE, png(8, 8, bytes(200_000_000)), (DECODED, UNDECODABLE)
    ),
    "png with a text of 100 MB": lambda: HostileFile(
        _IMAGE,
        png(8, 8, b"\0\0" * 8, before=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(10**8), 9))),
        (DECODED, UNDECODABLE),
    ),
    "png with texts of 100 MB together": lambda: HostileFile(
        _IMAGE, png(8, 8, b"\0\0" * 8, before=text_chunks(100)), (DECODED, UNDECODABLE)
    ),
    "png with a profile of 100 MB": lambda: HostileFile(
        _IMAGE,
        png(8, 8, b"\0\0" * 8, before=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(10**8), 9))),
        (DECODED, UNDECODABLE),
    ),
    "jpeg with five thousand scans": lambda: refused(_IMAGE, endless_scans(), UNDECODABLE),
    "jpeg with overlapping exif": lambda: decoded(
        _IMAGE, encode_image(gradient(), "JPEG", exif=exif_of_many_tags())
    ),
    "gif with 100000 comments": lambda: decoded(
        _IMAGE, gif((1, 1), (1, 1), b"!\xfe\x01x\x00" * 100_000)
    ),
    "tiff whose directory follows itself": lambda: decoded(_IMAGE, grey_tiff(8, 8)),
    "tiff with a million strips": lambda: refused(
        _IMAGE,
        tiff([(256, 4, 1, 8), (257, 4, 1, 8), (273, 4, 10**6, 4096), (279, 4, 10**6, 4096)]),
        UNDECODABLE,
    ),
    "tiff with 65535 tags": lambda: HostileFile(
        _IMAGE,
        tiff([(n, 7, 4_000, 0) for n in range(1, 65_535)]),
        (UNDECODABLE, "image_side", "image_pixels"),
    ),
    # Sizes at the edges.
    "png of one pixel": lambda: decoded(_IMAGE, black_png(1, 1)),
    "png of 1 x 100000": lambda: refused(_IMAGE, black_png(1, 100_000), "image_side"),
    "png of 100000 x 1": lambda: refused(_IMAGE, black_png(100_000, 1), "image_side"),
    "png of 1 x 32768": lambda: decoded(_IMAGE, black_png(1, 32_768)),
    "png without width": lambda: refused(_IMAGE, png(0, 8, b"\0" * 8), UNDECODABLE),
    "gif without width": lambda: HostileFile(_IMAGE, gif((0, 0), (0, 0)), ANY),
    "gif without frames": lambda: refused(_IMAGE, b"GIF89a\x01\0\x01\0\0\0\0;", UNDECODABLE),
    "bmp without height": lambda: refused(_IMAGE, claiming_bmp(48, 0), UNDECODABLE),
    "bmp upside down": lambda: decoded(_IMAGE, claiming_bmp(48, -32)),
    "tiff without height": lambda: refused(_IMAGE, grey_tiff(8, 0), UNDECODABLE),
    "jpeg without height": lambda: refused(_IMAGE, claiming_jpeg(48, 0), UNDECODABLE),
    "jpeg turned by 99": lambda: decoded(_IMAGE, turned_and_broken()),
    # Viewers show what is there, as long as the compressed data ends properly.
    "png with fewer rows than it claims": lambda: HostileFile(
        _IMAGE, png(64, 64, b"\0" + bytes(8)), (DECODED, UNDECODABLE)
    ),
    "png with a wrong checksum": lambda: refused(
        _IMAGE,
        black_png(8, 8).replace(b"IHDR\0", b"IHDR\0", 1)[:29] + b"bad!" + black_png(8, 8)[33:],
        UNDECODABLE,
    ),
    # Something else as well.
    "gif that is javascript": lambda: decoded(
        _IMAGE, gif((1, 1), (1, 1), b"!\xfe\x0d*/=alert(1)/*\x00") + b"*/"
    ),
    "jpeg that is a zip": lambda: decoded(_IMAGE, sample("jpeg").data + zipped()),
    "png that is an mp4": lambda: decoded(_IMAGE, sample("png").data + sample("mp4-h264").data),
    "png that is html": lambda: decoded(
        _IMAGE, png(8, 8, b"\0\0" * 8, before=chunk(b"tEXt", b"a\0<script>alert(1)</script>"))
    ),
    "png with a tail of 8 MB": lambda: decoded(
        _IMAGE, sample("png").data + np.arange(2_000_000, dtype="<i4").tobytes()
    ),
    "jpeg with a tail of noise": lambda: decoded(
        _IMAGE, sample("jpeg").data + np.random.default_rng(4).bytes(8_000_000)
    ),
}
