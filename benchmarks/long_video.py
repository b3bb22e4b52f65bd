"""A long video of which a model sees 32 frames: our decoding beside vLLM's loader.

    python -m benchmarks.long_video [--minutes 1 10]

The video is the one of `media.py` (H.264, 1280x720, 30 frames a second, a key frame every 250)
again and again, copied packet by packet. No worker, processor or engine takes part. Both get the
file in memory and give 32 frames of RGB; the pixels differ by rounding at most.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable

import av
from vllm.multimodal.media.image import ImageMediaIO
from vllm.multimodal.media.video import VideoMediaIO

from benchmarks import media_samples
from service.domain.conversation import InlineData, MediaSource, VideoPart
from service.domain.limits import MediaLimits
from service.media.file_format import FileFormat
from service.media.open_medium import OpenMedium
from service.media.video import decode_video

_FRAMES = 32
_SOUND_RATE_HZ = 16_000


def main() -> None:
    """Print a row for each length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 10])
    arguments = parser.parse_args()
    print(
        "| minutes | MiB | ours: CPU s | vLLM: CPU s | to vLLM's |\n| --- | --- | --- | --- | --- |"
    )
    for minutes in arguments.minutes:
        data = _repeated(media_samples.videos(range(1))[0], minutes * 60)
        ours, theirs = _cpu_s(_decode, data), _cpu_s(_load, data)
        size = f"| {minutes} | {len(data) >> 20} "
        print(f"{size}| {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f}x |", flush=True)


def _decode(data: bytes) -> None:
    part = VideoPart("video", MediaSource(InlineData(b"")), num_frames=_FRAMES)
    medium = OpenMedium(part, io.BytesIO(data), len(data), FileFormat.MP4, MediaLimits())
    clip = decode_video(medium, _SOUND_RATE_HZ)
    assert len(clip.frames) == _FRAMES


def _load(data: bytes) -> None:
    frames, _ = VideoMediaIO(ImageMediaIO(), num_frames=_FRAMES).load_bytes(data)
    assert len(frames) == _FRAMES


def _cpu_s(run: Callable[[bytes], None], data: bytes) -> float:
    before = time.process_time()
    run(data)
    return time.process_time() - before


def _repeated(data: bytes, seconds: int) -> bytes:
    """Copy the packets of a clip until they fill so much time."""
    buffer = io.BytesIO()
    with (
        av.open(buffer, "w", format="mp4") as target,
        av.open(io.BytesIO(data), "r") as source,
    ):
        copy = target.add_stream_from_template(source.streams.video[0])
        for start_s in range(0, seconds, media_samples.VIDEO_SECONDS):
            source.seek(0)
            for packet in source.demux(video=0):
                if packet.pts is None or packet.dts is None:
                    continue
                shift = int(start_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = copy
                target.mux(packet)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
