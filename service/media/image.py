"""Still pictures, by Pillow: upright RGB pixels of the first frame, on white.

What the engine gets is, pixel for pixel, what vLLM's own loader makes of the same file;
docs/adr/0004-decoders.md lists the exceptions.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from service.domain.conversation import ImagePart, Modality
from service.domain.media import MediaDescription
from service.media.image_header import check_header, check_size
from service.media.open_medium import OpenMedium

# Imported by name, so that nothing is looked up when a worker has no files to look at any more.
_PLUGINS = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
# What is odd about a stranger's file is no news, and there may be a thousand times as much of it.
warnings.filterwarnings("ignore", module=r"PIL\.")
# Ours is checked on the header; Pillow's own would only warn up to twice its value.
Image.MAX_IMAGE_PIXELS = None
# One worker, one thread.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# What undoes each value of the EXIF tag Orientation but 1, which is upright (TIFF 6.0, page 36).
_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = (5, 6, 7, 8)
_STRIP_PIXELS = 1 << 20


def describe_image(medium: OpenMedium[ImagePart]) -> MediaDescription:
    """Return the upright picture's size in the file, before `max_pixels`."""
    with _open(medium) as image:
        width, height = image.size
        # Pillow would decode a PNG to find EXIF data behind the pixels, and turns a TIFF by itself.
        is_exif_read = "exif" in image.info if image.format == "PNG" else image.format != "TIFF"
        if is_exif_read and _orientation(image) in _LYING:
            width, height = height, width
    mime_type = medium.file_format.mime_type(Modality.IMAGE)
    return MediaDescription(Modality.IMAGE, mime_type, medium.size_bytes, width, height)


def decode_image(medium: OpenMedium[ImagePart]) -> NDArray[np.uint8]:
    """Return upright RGB pixels [height, width, 3]; of an animation, the first frame."""
    max_pixels = medium.part.max_pixels
    with _open(medium) as image:
        if max_pixels is not None and image.format == "JPEG":
            # The JPEG decoder itself can halve a picture, which costs far less than scaling it.
            image.draft("RGB", _shrunk(image.size, max_pixels))
        image.load()
        turn = _TO_UPRIGHT.get(_orientation(image))
        upright = image if turn is None else image.transpose(turn)
        if max_pixels is not None and upright.width * upright.height > max_pixels:
            size = _shrunk(upright.size, max_pixels)
            upright = _to_rgb(upright).resize(size, Image.Resampling.BICUBIC)
        return _to_pixels(upright)


@contextmanager
def _open(medium: OpenMedium[ImagePart]) -> Iterator[Image.Image]:
    check_header(medium)
    medium.file.seek(0)
    with Image.open(medium.file, formats=(medium.file_format.name,)) as image:
        check_size(medium, *image.size)
        yield image


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; 1, which is upright, also when it cannot be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - Pillow raises anything, and the picture itself is sound
        return 1


def _to_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Convert to an array, a few rows at a time: in Pillow, each RGB pixel has four bytes."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = np.asarray(_to_rgb(image.crop((0, top, image.width, bottom))))
    return pixels


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode; what is transparent becomes white."""
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit values at 255 instead of scaling them.
        values = np.asarray(image, np.float32) / 257.0
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        # convert would copy even what is RGB already.
        return image if image.mode == "RGB" else image.convert("RGB")
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _shrunk(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """Return the size with the same aspect and at most `max_pixels`."""
    width, height = size
    scale = min(1.0, math.sqrt(max_pixels / (width * height)))
    # A very long picture is one pixel high before it is small enough.
    short = max(1, math.floor(min(width, height) * scale))
    long = max(1, min(math.floor(max(width, height) * scale), max_pixels // short))
    return (long, short) if width >= height else (short, long)
