"""Containers of moving pictures and of sound, opened by PyAV (FFmpeg) as narrowly as it can be.

FFmpeg reads some 300 formats, and a few of them open other files. Here the demuxer is the one that
the file's first bytes call for, decoders are those of a list, nothing outside of the file is
opened, and a decoder refuses pictures above the limits before it allocates them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
import av.container
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from service.domain.conversation import AudioPart, VideoPart
from service.media.file_format import FileFormat
from service.media.mp3_tag import without_id3_tag
from service.media.mp4_boxes import check_sample_counts
from service.media.open_medium import OpenMedium

_DEMUXERS = {
    FileFormat.MP3: "mp3",
    FileFormat.AAC: "aac",
    FileFormat.M4A: "mp4",
    FileFormat.MP4: "mp4",
    FileFormat.WEBM: "matroska",
    FileFormat.GIF: "gif",
}
_PICTURE_CODECS = {
    FileFormat.M4A: (),
    FileFormat.MP3: (),
    FileFormat.AAC: (),
    FileFormat.MP4: ("h264", "hevc", "av1", "vp9", "mpeg4"),
    FileFormat.WEBM: ("vp8", "vp9", "av1"),
    FileFormat.GIF: ("gif",),
}
_SOUND_CODECS = {
    FileFormat.M4A: ("aac", "mp3", "alac", "opus", "flac"),
    FileFormat.MP3: ("mp3",),
    FileFormat.AAC: ("aac",),
    FileFormat.MP4: ("aac", "mp3", "alac", "opus", "flac"),
    FileFormat.WEBM: ("opus", "vorbis"),
    FileFormat.GIF: (),
}
# The decoders, by FFmpeg's names, that do these; FFmpeg may open no other, not even to probe.
_DECODERS = (
    "h264,hevc,libdav1d,libaom-av1,av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,gif,"
    "aac,mp3float,mp3,alac,opus,libopus,vorbis,libvorbis,flac"
)
_MOST_STREAMS = 32


@contextmanager
def open_container(
    medium: OpenMedium[AudioPart] | OpenMedium[VideoPart],
) -> Iterator[av.container.InputContainer]:
    """Open a file from its beginning; its streams are known, and nothing is decoded."""
    file: BinaryIO = medium.file
    file.seek(0)
    if medium.file_format in (FileFormat.MP4, FileFormat.M4A):
        check_sample_counts(medium)
    elif medium.file_format is FileFormat.MP3:
        file = without_id3_tag(file)
    options = {
        # References to other files, in MP4, and whatever else would be opened by a name.
        "enable_drefs": "0",
        "protocol_whitelist": "none",
        "ignore_chapters": "1",
        "codec_whitelist": _DECODERS,
        "max_streams": str(_MOST_STREAMS),
        "max_pixels": str(_most_pixels(medium)),
        "threads": "1",
        # FFmpeg's own bounds on how much it reads, and how many seconds, to know the streams.
        "probesize": str(5 << 20),
        "analyzeduration": str(5_000_000),
    }
    with av.open(
        file,
        "r",
        format=_DEMUXERS[medium.file_format],
        options=options,
        metadata_errors="ignore",
    ) as container:
        yield container


def video_stream(
    medium: OpenMedium[VideoPart], container: av.container.InputContainer
) -> VideoStream:
    """Return the first stream of moving pictures, ready to be decoded."""
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise medium.undecodable("the file holds no video stream")
    stream = streams[0]
    _check_codec(medium, stream, _PICTURE_CODECS[medium.file_format])
    _use_one_thread(medium, stream)
    return stream


def sound_stream(
    medium: OpenMedium[AudioPart] | OpenMedium[VideoPart], container: av.container.InputContainer
) -> AudioStream | None:
    """Return the first stream of sound, ready to be decoded, if there is one."""
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    _check_codec(medium, stream, _SOUND_CODECS[medium.file_format])
    _use_one_thread(medium, stream)
    return stream


def has_pictures(container: av.container.InputContainer) -> bool:
    """Tell whether a file holds moving pictures; a cover is none."""
    return any(not _is_cover(stream) for stream in container.streams.video)


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _check_codec(
    medium: OpenMedium[AudioPart] | OpenMedium[VideoPart],
    stream: VideoStream | AudioStream,
    allowed: tuple[str, ...],
) -> None:
    # Of a codec without a decoder, PyAV makes no context.
    name = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
    if name not in allowed:
        raise medium.undecodable(
            f"the {stream.type} codec of the {medium.file_format.label} file is {name}, none of "
            f"{', '.join(allowed)}"
        )


def _use_one_thread(
    medium: OpenMedium[AudioPart] | OpenMedium[VideoPart], stream: VideoStream | AudioStream
) -> None:
    """Keep a decoder to its worker's thread, and to pictures within the limit."""
    context = stream.codec_context
    context.thread_count = 1
    context.thread_type = "NONE"
    context.options = {"max_pixels": str(_most_pixels(medium))}


def _most_pixels(medium: OpenMedium[AudioPart] | OpenMedium[VideoPart]) -> int:
    """Return what no decoder may allocate: it pads, and a little above the limit gets our error."""
    return min(4 * medium.limits.video_frame_pixels + 65_536, (1 << 31) - 1)
