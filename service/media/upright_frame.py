"""A decoded frame of a video as RGB pixels, turned as the file says it is shown."""

from __future__ import annotations

from typing import cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray


def upright_rgb(frame: VideoFrame, scaler: VideoReformatter) -> NDArray[np.uint8]:
    """Convert to RGB [height, width, 3], and turn or mirror (ISO 14496-12, 8.3.2).

    `scaler` is one for all frames of a video: a frame's own would start a thread a processor.
    """
    rgb = scaler.reformat(frame, format="rgb24", interpolation="BICUBIC", threads=1)
    pixels = rgb.to_ndarray().astype(np.uint8, copy=False)
    side_data = cast("SideDataContainer", frame.side_data)  # PyAV 18's stub says otherwise
    if "DISPLAYMATRIX" not in side_data:
        return pixels
    matrix = np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), np.int32)
    # A pixel at (x, y) is shown at (a * x + c * y, b * x + d * y).
    a, b, _, c, d = matrix[:5].tolist()
    x_sign, y_sign = a, d
    if abs(b) > abs(a):
        pixels = pixels.swapaxes(0, 1)
        x_sign, y_sign = c, b
    return pixels[:: -1 if y_sign < 0 else 1, :: -1 if x_sign < 0 else 1]
