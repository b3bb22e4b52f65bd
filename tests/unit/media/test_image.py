"""Pictures become upright RGB pixels, whatever they were; too large ones are never decoded."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.media.image import decode_image
from tests.unit.media.files import encode_image, gradient, image_medium

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)
# Where the top left corner of an upright picture lies in the file, by EXIF orientation.
ORIENTED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: np.rot90,
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}
# No TIFF header; and an orientation beside a tag whose values Pillow cannot write again.
DAMAGED_EXIF = {
    "garbage": b"Exif\0\0garbage",
    "a number for a text": b"Exif\0\0MM\0*"
    + bytes.fromhex("00000008 0002 011200030000000100060000 829800050000000200000008 00000000"),
}


def pixels_of(data: bytes, max_pixels: int | None = None) -> NDArray[np.uint8]:
    pixels = decode_image(image_medium(data, max_pixels))
    assert pixels.dtype == np.uint8
    return pixels


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """Return a PNG that Pillow cannot write; `rows` with a filter byte before each."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 12),
        ("JPEG", {"quality": 95}, 12),
        ("JPEG", {"quality": 95, "progressive": True}, 12),
    ],
)
def test_pixels_are_those_of_the_picture(kind: str, options: dict, tolerance: int) -> None:
    expected = gradient().astype(int)
    pixels = pixels_of(encode_image(gradient(), kind, **options))
    assert pixels.shape == (32, 48, 3)
    assert np.abs(pixels - expected).max() <= tolerance


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_exif_orientation_turns_the_picture_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    stored = np.ascontiguousarray(ORIENTED[orientation](gradient()))
    pixels = pixels_of(encode_image(stored, kind, exif=exif))
    assert pixels.shape == (32, 48, 3)
    assert np.abs(pixels - gradient().astype(int)).mean() < 4


@pytest.mark.parametrize("exif", DAMAGED_EXIF.values(), ids=DAMAGED_EXIF)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_exif_does_not_spoil_the_picture(kind: str, exif: bytes) -> None:
    """Browsers and viewers show such a picture too."""
    pixels = pixels_of(encode_image(Image.new("RGB", (8, 8), RED), kind, exif=exif))
    assert np.abs(pixels.astype(int) - RED).max() < 5


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_becomes_white(kind: str) -> None:
    picture = Image.new("RGBA", (2, 1), (*RED, 0))
    picture.putpixel((1, 0), (*BLUE, 128))
    pixels = pixels_of(encode_image(picture, kind, lossless=True, exact=True))
    assert pixels[0].tolist() == [list(WHITE), [127, 127, 255]]


@pytest.mark.parametrize(("mode", "colour"), [("P", 1), ("L", 7), ("RGB", RED), ("1", 0)])
def test_a_transparent_colour_becomes_white(mode: str, colour: int | tuple) -> None:
    picture = Image.new(mode, (2, 2), colour)
    if mode == "P":
        picture.putpalette([*BLUE, *RED])
    pixels = pixels_of(encode_image(picture, "PNG", transparency=colour))
    assert pixels.tolist() == [[list(WHITE)] * 2] * 2


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        ("1", "PNG", WHITE),
        ("L", "PNG", (76, 76, 76)),
        ("L", "JPEG", (76, 76, 76)),
        ("LA", "PNG", (76, 76, 76)),
        ("P", "PNG", RED),
        ("CMYK", "JPEG", (254, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb(mode: str, kind: str, expected: tuple) -> None:
    # The one-bit picture is a plain white: a red one would be dithered.
    picture = Image.new("RGB", (8, 8), WHITE if mode == "1" else RED).convert(mode)
    pixels = pixels_of(encode_image(picture, kind))
    assert pixels.shape == (8, 8, 3)
    assert np.abs(pixels.astype(int) - expected).max() <= 2


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    values = np.array([[0, 257, 32_896, 65_535]], np.uint16)
    pixels = pixels_of(encode_image(Image.fromarray(values), "PNG"))
    assert pixels[0].tolist() == [[0] * 3, [1] * 3, [128] * 3, [255] * 3]


@pytest.mark.parametrize(
    ("colour", "samples", "expected"),
    [
        (2, (65_535, 32_896, 0), (255, 128, 0)),
        (4, (32_896, 65_535), (128,) * 3),
        (4, (0, 0), WHITE),
    ],
)
def test_sixteen_bits_of_several_channels_are_scaled(
    colour: int, samples: tuple, expected: tuple
) -> None:
    row = b"\0" + struct.pack(f">{len(samples)}H", *samples)
    assert pixels_of(png(1, 1, 16, colour, row))[0, 0].tolist() == list(expected)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "MPO"])
def test_of_several_frames_the_first_counts(kind: str) -> None:
    first, second = (Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE))
    data = encode_image(first, kind, save_all=True, append_images=[second])
    assert np.abs(pixels_of(data).astype(int) - RED).max() < 5
