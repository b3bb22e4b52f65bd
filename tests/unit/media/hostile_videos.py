"""Videos that lie, swell or point elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np

from service.domain.conversation import Modality
from tests.unit.media.files import encode_image, encode_video, gradient, grey_frames, sample, tone
from tests.unit.media.hostile import DECODED, INVALID, UNDECODABLE, HostileFile, decoded, refused
from tests.unit.media.hostile_pictures import gif
from tests.unit.media.iso_boxes import box, numbers, with_boxes
from tests.unit.media.vp8_packets import encode_vp8, webm_of

_VIDEO, _IMAGE, _AUDIO = Modality.VIDEO, Modality.IMAGE, Modality.AUDIO
_ELSEWHERE = "/etc/passwd"


def mp4(**bodies: bytes) -> bytes:
    """Return the sample with other bodies of boxes, which keep their order."""
    return with_boxes(sample("mp4-h264").data, {k.encode(): v for k, v in bodies.items()})


def slow_mp4(seconds: float) -> bytes:
    """Return an MP4 whose twelve frames last so long together, by each of its tables."""
    scale = 1 if seconds > 1e6 else 1_000
    ticks = round(seconds * scale / 12)
    header = numbers(0, 0, 0, scale, 12 * ticks, 0)
    data = mp4(stts=numbers(0, 1, 12, ticks), mdhd=header)
    return data.replace(b"edts", b"free")


def fragment(samples: int) -> bytes:
    """Return a fragment that claims so many samples, each of the usual length and size."""
    run = box(b"tfhd", numbers(0x000018, 1, 1, 0)) + box(b"trun", numbers(0, samples))
    return box(b"moof", box(b"mfhd", numbers(0, 1)) + box(b"traf", run)) + box(b"mdat", bytes(64))


def fragmented(samples: int) -> bytes:
    data = encode_video(grey_frames(4), movflags="frag_keyframe+empty_moov")
    return data[: data.index(b"moof") - 4] + fragment(samples)


def other_codec(codec: str, kind: str, pix_fmt: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        for picture in grey_frames(3):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=pix_fmt)))
        container.mux(stream.encode())
    return buffer.getvalue()


def huge_vp8() -> bytes:
    """Return a WebM of 64 x 48 whose first frame is said to be 16383 x 16383 in itself."""
    packets = encode_vp8(grey_frames(4))
    first = packets[0]
    packets[0] = first[:6] + b"\xff\x3f\xff\x3f" + first[10:]
    return webm_of(packets, 64, 48)


def many_gif_frames(count: int) -> bytes:
    """Return a GIF of frames that each last a tenth of a second."""
    one = gif((1, 1), (1, 1), b"!\xf9\x04\x00\x0a\x00\x00\x00")
    return one[:-1] + one[one.index(b"!\xf9") : -1] * count + b";"


def webm_with(document: bytes) -> bytes:
    data = sample("webm-vp8").data
    return data.replace(b"\x42\x82\x84webm", document, 1)


def without_frames() -> bytes:
    data = sample("webm-vp8").data
    return data[: data.index(b"\x1f\x43\xb6\x75")]


def unknown_sizes() -> bytes:
    """Return a WebM of clusters that say they never end."""
    data = without_frames()
    return data + b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff" * 50_000


def elsewhere() -> bytes:
    """Return an MP4 whose samples are said to lie in another file."""
    alias = b"alis" + numbers(0) + bytes(10) + b"/" + _ELSEWHERE.encode()
    entry = (4 + len(alias)).to_bytes(4) + alias
    return with_boxes(sample("mp4-h264").data, {b"dref": numbers(0, 1) + entry})


VIDEOS: dict[str, Callable[[], HostileFile]] = {
    # MP4's tables.
    "mp4 of 1e9 seconds": lambda: refused(_VIDEO, slow_mp4(1e9), "video_seconds"),
    "mp4 of an hour and a second": lambda: refused(_VIDEO, slow_mp4(3_601), "video_seconds"),
    "mp4 of an hour": lambda: decoded(_VIDEO, slow_mp4(3_599)),
    # What its edit list leaves is one frame.
    "mp4 of 1e9 seconds that are edited away": lambda: decoded(
        _VIDEO, mp4(stts=numbers(0, 1, 12, 0x3FFF_FFFF))
    ),
    "mp4 whose header alone says 1e9 seconds": lambda: decoded(
        _VIDEO,
        sample("mp4-h264").data.replace(
            b"\x00\x00\x03\xe8\x00\x00\x04\xb0", b"\x00\x00\x00\x01\x3b\x9a\xca\x00", 1
        ),
    ),
    "mp4 of four billion equal samples": lambda: refused(
        _VIDEO, mp4(stsz=numbers(0, 1, 0xFFFF_FFFF)), UNDECODABLE
    ),
    "mp4 of three million equal samples": lambda: refused(
        _VIDEO, mp4(stsz=numbers(0, 1, 3_000_000)), UNDECODABLE
    ),
    "mp4 of four billion samples of four bits": lambda: refused(
        _VIDEO,
        mp4(stsz=b"").replace(b"stsz", b"stz2") + box(b"stz2", numbers(0, 4, 1 << 31)),
        UNDECODABLE,
    ),
    "mp4 with a fragment of four billion samples": lambda: refused(
        _VIDEO, fragmented(0xFFFF_FFFF), UNDECODABLE
    ),
    "mp4 with a fragment of nothing": lambda: refused(
        _VIDEO, fragmented(1_000), UNDECODABLE, "video_seconds"
    ),
    "mp4 with packed tables": lambda: refused(
        _VIDEO, sample("mp4-h264").data + box(b"moov", box(b"cmov", bytes(64))), UNDECODABLE
    ),
    "mp4 of no frames": lambda: refused(
        _VIDEO, mp4(stsz=numbers(0, 0, 0), stts=numbers(0, 0), stsc=numbers(0, 0)), UNDECODABLE
    ),
    "mp4 of nothing": lambda: refused(
        _VIDEO, box(b"ftyp", b"isom" + bytes(4)) + box(b"moov", b""), UNDECODABLE
    ),
    "mp4 that is only its first box": lambda: refused(
        _VIDEO, box(b"ftyp", b"isom" + bytes(4)), UNDECODABLE
    ),
    "mp4 whose samples lie behind the end": lambda: refused(
        _VIDEO, mp4(stco=numbers(0, 1, 0x7FFF_FFFF)), UNDECODABLE
    ),
    "mp4 of samples that lie in another file": lambda: HostileFile(
        _VIDEO, elsewhere(), (DECODED, UNDECODABLE)
    ),
    "mp4 with a box of 16 EB": lambda: HostileFile(
        _VIDEO,
        sample("mp4-h264").data + b"\0\0\0\x01free" + b"\x7f" * 8,
        (DECODED, UNDECODABLE),
    ),
    "mp4 with a box without end inside": lambda: HostileFile(
        _VIDEO,
        sample("mp4-h264").data.replace(b"mvhd", b"moov", 1),
        (DECODED, UNDECODABLE),
    ),
    "mp4 with a hundred thousand boxes": lambda: decoded(
        _VIDEO, sample("mp4-h264").data + box(b"free", b"") * 100_000
    ),
    "mp4 with a tail of noise": lambda: decoded(
        _VIDEO, sample("mp4-h264").data + np.random.default_rng(4).bytes(1_000_000)
    ),
    "mp4 of a codec that is not taken": lambda: refused(
        _VIDEO, other_codec("mjpeg", "mp4", "yuvj420p"), UNDECODABLE
    ),
    "mp4 of pictures in raw": lambda: refused(
        _VIDEO,
        other_codec("mjpeg", "mp4", "yuvj420p").replace(b"mp4v", b"raw ", 1),
        UNDECODABLE,
    ),
    "mp4 that says h264 and is not": lambda: refused(
        _VIDEO, sample("mp4-h265").data.replace(b"hev1", b"avc1", 1), UNDECODABLE
    ),
    "mp4 without the sound that is wanted": lambda: refused(
        _VIDEO, sample("mp4-h264").data, INVALID, use_sound=True
    ),
    "mp4 in an image part": lambda: refused(_IMAGE, sample("mp4-h264").data, UNDECODABLE),
    "mp4 with pictures in an audio part": lambda: refused(
        _AUDIO,
        encode_video(grey_frames(4), sound=tone(440, 0.4, 48_000)),
        UNDECODABLE,
    ),
    "heic": lambda: refused(
        _IMAGE, box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + bytes(100), UNDECODABLE
    ),
    "heic in a video part": lambda: refused(
        _VIDEO, box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + bytes(100), UNDECODABLE
    ),
    # Matroska's.
    "webm of no frames": lambda: refused(_VIDEO, without_frames(), UNDECODABLE),
    "webm of clusters without end": lambda: refused(_VIDEO, unknown_sizes(), UNDECODABLE),
    "webm whose frame is 268 megapixels": lambda: refused(
        _VIDEO, huge_vp8(), "video_frame_pixels", "video_side", UNDECODABLE
    ),
    "webm of 16383 x 48": lambda: refused(
        _VIDEO, webm_of(encode_vp8(grey_frames(4)), 16_383, 48), "video_side"
    ),
    "webm that is another document": lambda: refused(
        _VIDEO, webm_with(b"\x42\x82\x84wibm"), UNDECODABLE
    ),
    "webm of a codec that is not taken": lambda: refused(
        _VIDEO, sample("webm-vp8").data.replace(b"V_VP8", b"V_MS/", 1), UNDECODABLE
    ),
    "webm of 1e9 seconds": lambda: refused(
        _VIDEO,
        webm_of(encode_vp8(grey_frames(3)), 64, 48, [0, 1, 10**10]),
        "video_seconds",
    ),
    "webm with a tail of noise": lambda: HostileFile(
        _VIDEO,
        sample("webm-vp9").data + np.random.default_rng(4).bytes(1_000_000),
        (DECODED, UNDECODABLE, "video_seconds"),
    ),
    # GIF's.
    "gif video of a hundred thousand frames": lambda: refused(
        _VIDEO, many_gif_frames(100_000), "video_seconds"
    ),
    "gif video without frames": lambda: refused(_VIDEO, b"GIF89a\x01\0\x01\0\0\0\0;", UNDECODABLE),
    "gif video with a huge screen": lambda: refused(
        _VIDEO, gif((65_535, 65_535), (1, 1)), "video_side", UNDECODABLE
    ),
    "gif video whose frame is larger than the screen": lambda: HostileFile(
        _VIDEO, gif((1, 1), (60_000, 60_000)), (DECODED, UNDECODABLE)
    ),
    "gif video of one picture": lambda: decoded(_VIDEO, encode_image(gradient(), "GIF")),
    # What names other files, or is no medium.
    **{
        f"{name} in {'an' if kind in (_IMAGE, _AUDIO) else 'a'} {kind} part": (
            lambda data=data, kind=kind: refused(kind, data, UNDECODABLE)
        )
        for name, data in {
            "m3u8 playlist": b"#EXTM3U\n#EXTINF:1,\nfile://" + _ELSEWHERE.encode() + b"\n",
            "concat script": b"file '" + _ELSEWHERE.encode() + b"'\n",
            "ffconcat script": b"ffconcat version 1.0\nfile '" + _ELSEWHERE.encode() + b"'\n",
            "dash manifest": b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>",
            "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///x'/></svg>",
            "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
            "nothing": b"",
            "zeros": bytes(4096),
            "html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        }.items()
        for kind in (_IMAGE, _AUDIO, _VIDEO)
    },
}
