"""Too large pictures are refused on their header; what is asked to be smaller is scaled."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from service.domain.limits import MediaLimits
from service.errors import LimitExceededError
from service.media.image import decode_image
from tests.unit.media.files import FIELD, encode_image, gradient, image_medium

KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


def claiming(data: bytes, width: int, height: int) -> bytes:
    """Return a PNG or JPEG whose header claims another size."""
    if data.startswith(b"\x89PNG"):
        header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + data[24:29]
        return data[:12] + header + zlib.crc32(header).to_bytes(4) + data[33:]
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + height.to_bytes(2) + width.to_bytes(2) + data[at + 4 :]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_as_large_as_the_limit_is_decoded(kind: str) -> None:
    limits = MediaLimits(image_pixels=48 * 32)
    assert decode_image(image_medium(encode_image(gradient(), kind), limits=limits)).shape == (
        32,
        48,
        3,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_picture_is_refused_before_it_is_decoded(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pixel row above the limit; loading the pixels would fail the test."""
    data = encode_image(gradient(), kind)
    with Image.open(io.BytesIO(data)) as image:
        monkeypatch.setattr(type(image), "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(LimitExceededError) as caught:
        decode_image(image_medium(data, limits=MediaLimits(image_pixels=48 * 31)))
    assert caught.value.metadata == {
        "field": FIELD,
        "limit": "image_pixels",
        "limit_value": str(48 * 31),
        "actual": str(48 * 32),
    }


@pytest.mark.parametrize(
    ("kind", "side"), [("PNG", 2_000_000_000), ("PNG", 60_000), ("JPEG", 65_535), ("JPEG", 8_001)]
)
def test_a_small_file_that_claims_a_huge_picture_is_refused(kind: str, side: int) -> None:
    """The usual limit is 64 million pixels, whatever Pillow's own would be."""
    data = claiming(encode_image(gradient(), kind), side, side)
    limits = MediaLimits(image_side=side)
    with pytest.raises(LimitExceededError, match=f"got {side * side}"):
        decode_image(image_medium(data, limits=limits))


def test_a_size_limit_does_not_make_a_huge_picture_small_enough() -> None:
    """Scaling it down would mean decoding it first."""
    data = claiming(encode_image(gradient(), "PNG"), 60_000, 60_000)
    with pytest.raises(LimitExceededError):
        decode_image(image_medium(data, max_pixels=100, limits=MediaLimits(image_side=60_000)))


@pytest.mark.parametrize("max_pixels", [1, 2, 7, 100, 1000, 1536, 5000])
@pytest.mark.parametrize("size", [(48, 32), (200, 3), (3, 200), (61, 97)])
@pytest.mark.parametrize("kind", KINDS)
def test_max_pixels_bounds_the_picture_and_keeps_its_aspect(
    kind: str, size: tuple[int, int], max_pixels: int
) -> None:
    data = encode_image(gradient(*size), kind)
    height, width, _ = decode_image(image_medium(data, max_pixels)).shape
    assert 1 <= width * height <= max(max_pixels, 1)
    if size[0] * size[1] <= max_pixels:
        assert (width, height) == size
    # Sides are whole pixels: each may be one off, or one in all.
    scale = (width * height / (size[0] * size[1])) ** 0.5
    if min(width, height) > 1:
        assert abs(width - size[0] * scale) <= 1
        assert abs(height - size[1] * scale) <= 1


def test_a_scaled_picture_is_not_needlessly_small() -> None:
    """It loses less than a row and a column to rounding."""
    data = encode_image(gradient(300, 200), "JPEG")
    height, width, _ = decode_image(image_medium(data, max_pixels=15_000)).shape
    assert (width + 1) * (height + 1) > 15_000


def test_a_scaled_picture_shows_the_same() -> None:
    whole = gradient(300, 200)
    scaled = decode_image(image_medium(encode_image(whole, "JPEG"), 15_000))
    centres = np.linspace(1, 299, scaled.shape[1]).astype(int)
    rows = np.linspace(1, 199, scaled.shape[0]).astype(int)
    assert np.abs(scaled - whole[np.ix_(rows, centres)].astype(int)).mean() < 3


def test_max_pixels_counts_after_turning() -> None:
    """A picture that lies on its side in the file keeps its own aspect."""
    exif = Image.Exif()
    exif[0x112] = 6
    data = encode_image(gradient(400, 100), "JPEG", exif=exif)
    height, width, _ = decode_image(image_medium(data, max_pixels=10_000)).shape
    assert (width, height) == (50, 200)
