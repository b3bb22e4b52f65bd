"""Pictures that would cost more than their size tells are refused before Pillow opens them."""

from __future__ import annotations

import pytest
from PIL import Image

from service.domain.limits import MediaLimits
from service.errors import LimitExceededError, MediaUndecodableError
from service.media import image_header
from service.media.image import decode_image
from service.media.image_header import check_header
from tests.unit.media.files import encode_image, gradient, image_medium
from tests.unit.media.hostile_pictures import gif, grey_tiff, tiff


@pytest.fixture(autouse=True)
def no_pillow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a picture is refused, opening it fails the test."""
    if "refused" in request.node.name:
        monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))


def with_scans(count: int) -> bytes:
    """Return a progressive JPEG of so many scans, the last one again and again."""
    data = encode_image(gradient(), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    own = data.count(b"\xff\xda")
    return data[:-2] + scan * (count - own) + data[-2:]


def test_a_jpeg_of_a_hundred_scans_is_decoded() -> None:
    assert decode_image(image_medium(with_scans(100))).shape == (32, 48, 3)


def test_a_jpeg_of_one_more_scan_is_refused() -> None:
    with pytest.raises(MediaUndecodableError, match="more than 100 scans"):
        decode_image(image_medium(with_scans(101)))


def test_what_looks_like_scans_elsewhere_does_not_count() -> None:
    """In a comment, and behind the end, where phones put a film."""
    data = encode_image(gradient(), "JPEG", comment=b"\xff\xda\x00\x02" * 500)
    check_header(image_medium(data + b"\xff\xda\x00\x02" * 500))


def test_a_jpeg_of_segments_alone_is_refused() -> None:
    data = b"\xff\xd8" + b"\xff\xee\x00\x02" * 20_000
    with pytest.raises(MediaUndecodableError, match="10000 segments"):
        decode_image(image_medium(data))


@pytest.mark.parametrize("cut", [2, 3, 4, 20, 21, 160, 300])
def test_a_jpeg_that_ends_anywhere_is_left_to_its_decoder(cut: int) -> None:
    check_header(image_medium(encode_image(gradient(), "JPEG")[:cut] + b"\xff" * (3 - min(cut, 3))))


def test_a_tile_as_large_as_the_limit_is_left_to_the_decoder() -> None:
    limits = MediaLimits(image_pixels=100 * 100)
    check_header(image_medium(grey_tiff(8, 8, t322=100, t323=100), limits=limits))


def test_a_larger_tile_is_refused() -> None:
    """The picture itself is small; libtiff would allocate the tile."""
    limits = MediaLimits(image_pixels=100 * 100)
    with pytest.raises(LimitExceededError, match="image_pixels is 10000, got 10100"):
        decode_image(image_medium(grey_tiff(8, 8, t322=101, t323=100), limits=limits))


@pytest.mark.parametrize("tag", [273, 324], ids=["strips", "tiles"])
def test_a_tiff_of_too_many_pieces_is_refused(tag: int) -> None:
    with pytest.raises(MediaUndecodableError, match="300001 strips or tiles"):
        decode_image(image_medium(tiff([(256, 4, 1, 8), (257, 4, 1, 8), (tag, 4, 300_001, 4096)])))


@pytest.mark.parametrize(
    "before", [b"", b"!\xf9\x04\x08\x00\x00\x00\x00", b"xyz!\xfe\x02ab\x01c\x00"]
)
@pytest.mark.parametrize(
    ("screen", "frame", "actual"),
    [((101, 50), (1, 1), 101), ((1, 1), (50, 101), 101), ((50, 50), (101, 101), 101)],
)
def test_a_gif_of_a_larger_canvas_is_refused(
    screen: tuple[int, int], frame: tuple[int, int], actual: int, before: bytes
) -> None:
    """The frame may be larger than the screen, and Pillow makes room for it at once."""
    with pytest.raises(LimitExceededError, match=f"image_side is 100, got {actual}"):
        decode_image(image_medium(gif(screen, frame, before), limits=MediaLimits(image_side=100)))


def test_a_gif_without_a_frame_is_as_large_as_its_screen() -> None:
    data = b"GIF89a" + (70).to_bytes(2, "little") + (3).to_bytes(2, "little") + b"\0\0\0"
    check_header(image_medium(data + b";", limits=MediaLimits(image_side=70)))
    with pytest.raises(LimitExceededError):
        check_header(image_medium(data, limits=MediaLimits(image_side=69)))


def test_a_gif_of_blocks_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_header, "_MOST_BLOCKS", 100)
    with pytest.raises(MediaUndecodableError, match="more than 100 blocks before a frame"):
        check_header(image_medium(gif((1, 1), (1, 1), b"!\xfe\x00" * 101)))
    with pytest.raises(MediaUndecodableError, match="an extension of more than 100 blocks"):
        check_header(image_medium(gif((1, 1), (1, 1), b"!\xfe" + b"\x01x" * 101)))
    check_header(image_medium(gif((1, 1), (1, 1), b"!\xfe\x00" * 99)))


@pytest.mark.parametrize(
    "options",
    [{"lossless": True}, {"quality": 80}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}],
    ids=["VP8L", "VP8", "VP8X"],
)
@pytest.mark.parametrize("size", [(200, 3), (3, 200), (129, 64)])
def test_a_webp_is_measured_before_libwebp_makes_its_canvas(
    options: dict, size: tuple[int, int]
) -> None:
    data = encode_image(gradient(*size), "WEBP", **options)
    check_header(image_medium(data, limits=MediaLimits(image_pixels=size[0] * size[1])))
    with pytest.raises(LimitExceededError, match=f"got {size[0] * size[1]}"):
        check_header(image_medium(data, limits=MediaLimits(image_pixels=size[0] * size[1] - 1)))


@pytest.mark.parametrize("order", ["II", "MM"])
def test_both_orders_of_bytes_are_read(order: str) -> None:
    mark = b"II*\x00\x08\x00\x00\x00" if order == "II" else b"MM\x00*\x00\x00\x00\x08"
    little = order == "II"
    entry = b"".join(
        value.to_bytes(size, "little" if little else "big")
        for value, size in ((1, 2), (273, 2), (4, 2), (300_001, 4), (64, 4))
    )
    with pytest.raises(MediaUndecodableError, match="300001 strips"):
        check_header(image_medium(mark + entry + bytes(64)))
