"""Still pictures, by Pillow."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from service.domain.conversation import ImagePart
from service.media.limits import MediaLimits, check_limit

_FORMATS = ("PNG", "JPEG", "WEBP")
# Ours is checked on the header; Pillow's own would only warn up to twice its value.
Image.MAX_IMAGE_PIXELS = None
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


def decode_image(part: ImagePart, limits: MediaLimits) -> NDArray[np.uint8]:
    """Return upright RGB pixels [height, width, 3]; of an animation, the first frame."""
    with Image.open(io.BytesIO(part.source.data), formats=_FORMATS) as image:
        check_limit(part.field, "image_pixels", limits.image_pixels, image.width * image.height)
        if part.max_pixels is not None and image.format == "JPEG":
            # The JPEG decoder itself can halve a picture, which costs far less than scaling it.
            image.draft("RGB", _shrunk(image.size, part.max_pixels))
        image.load()
        turn = _turn_of(image)
        rgb = _to_rgb(image if turn is None else image.transpose(turn))
    if part.max_pixels is not None and rgb.width * rgb.height > part.max_pixels:
        rgb = rgb.resize(_shrunk(rgb.size, part.max_pixels), Image.Resampling.BICUBIC)
    return np.asarray(rgb)


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return what turns a picture upright; None also when its EXIF cannot be read."""
    try:
        return _TO_UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - Pillow raises anything, and the picture itself is sound
        return None


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode; what is transparent becomes white."""
    if image.mode in {"I", "I;16", "I;16B", "F"}:
        # Pillow would clip 16-bit values at 255 instead of scaling them.
        values = np.asarray(image, np.float32) / 257.0
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        # convert would copy even what is RGB already.
        return image if image.mode == "RGB" else image.convert("RGB")
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")


def _shrunk(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """Return the size with the same aspect and at most `max_pixels`."""
    width, height = size
    scale = min(1.0, math.sqrt(max_pixels / (width * height)))
    # A very long picture is one pixel high before it is small enough.
    short = max(1, math.floor(min(width, height) * scale))
    long = max(1, min(math.floor(max(width, height) * scale), max_pixels // short))
    return (long, short) if width >= height else (short, long)
