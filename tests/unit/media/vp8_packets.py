"""VP8 packets one by one, and WebM files of any such packets: no encoder would make these files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

_TENTH_S = Fraction(1, 10)


def encode_vp8(frames: Sequence[NDArray[np.uint8]]) -> list[bytes]:
    """Return one packet for each frame; the first is a key frame."""
    context = av.CodecContext.create("libvpx", "w")
    context.height, context.width = frames[0].shape[:2]
    context.pix_fmt, context.time_base = "yuv420p", _TENTH_S
    context.options = {"deadline": "realtime", "cpu-used": "8"}
    packets = []
    for moment, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        picture.pts, picture.time_base = moment, _TENTH_S
        packets += context.encode(picture)
    return [bytes(packet) for packet in packets + context.encode()]


def hidden(packet: bytes) -> bytes:
    """Clear the bit `show_frame` (RFC 6386, 9.1)."""
    return bytes([packet[0] & ~0x10]) + packet[1:]


def webm_of(
    packets: Iterable[bytes], width: int, height: int, moments: Sequence[int] | None = None
) -> bytes:
    """Put packets into a file that claims a size; each is a tenth of a second, or at its moment."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.pts = packet.dts = moments[number] if moments else number
            packet.time_base, packet.stream = _TENTH_S, stream
            # The lowest bit of a key frame's first byte is zero.
            packet.is_keyframe = not data[0] & 1
            container.mux(packet)
    return buffer.getvalue()
