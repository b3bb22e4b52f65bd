"""Sounds that lie, swell or hide something."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import soundfile

from service.domain.conversation import Modality, PcmEncoding, PcmFormat
from tests.unit.media.files import encode_audio, sample, tone
from tests.unit.media.hostile import DECODED, UNDECODABLE, HostileFile, decoded, refused
from tests.unit.media.iso_boxes import numbers, with_boxes

_AUDIO = Modality.AUDIO
_S16 = PcmFormat(PcmEncoding.S16, 16_000)


def wav(  # noqa: PLR0913 - the fields of its header
    channels: int = 1,
    *,
    rate_hz: int = 16_000,
    bits: int = 16,
    data: bytes = bytes(3_200),
    size: int | None = None,
    kind: int = 1,
) -> bytes:
    frame = channels * bits // 8 & 0xFFFF
    head = struct.pack(
        "<HHIIHH", kind, channels, rate_hz, rate_hz * frame & 0xFFFFFFFF, frame, bits
    )
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def silent_flac(seconds: int, rate_hz: int, channels: int, *, is_length_told: bool = True) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate_hz, channels, format="FLAC") as sound:
        for _ in range(seconds):
            sound.write(np.zeros((rate_hz, channels), np.int16))
    data = bytearray(buffer.getvalue())
    if not is_length_told:
        data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    return bytes(data)


def id3(size: int, body: bytes = b"") -> bytes:
    """Return a tag that claims a size."""
    return b"ID3\x04\0\0" + bytes(size >> 7 * n & 0x7F for n in (3, 2, 1, 0)) + body


def swelling_id3() -> bytes:
    """Return a tag with a picture that is packed, and swells to 200 MB."""
    packed = zlib.compress(bytes(200_000_000), 9)
    frame = b"APIC" + len(packed).to_bytes(4) + b"\x00\x80" + (200_000_000).to_bytes(4) + packed
    tag = id3(len(frame), frame)
    return b"ID3\x03" + tag[4:]


def long_m4a() -> bytes:
    """Return a song whose table says that each of its packets lasts half a day."""
    data = sample("m4a").data
    return with_boxes(data, {b"stts": numbers(0, 1, 8, 0x3FFF_FFFF)})


SOUNDS: dict[str, Callable[[], HostileFile]] = {
    "wav of 10000 channels": lambda: refused(_AUDIO, wav(10_000), "audio_channels", UNDECODABLE),
    "wav of 17 channels": lambda: refused(_AUDIO, wav(17, data=bytes(3_400)), "audio_channels"),
    "wav of no channels": lambda: refused(_AUDIO, wav(0), UNDECODABLE),
    "wav at 0 Hz": lambda: refused(_AUDIO, wav(rate_hz=0), UNDECODABLE),
    "wav at 1 Hz": lambda: refused(_AUDIO, wav(rate_hz=1), UNDECODABLE),
    "wav at 4 GHz": lambda: refused(
        _AUDIO, wav(rate_hz=4_000_000_000), "audio_rate_hz", UNDECODABLE
    ),
    "wav of no bits": lambda: refused(_AUDIO, wav(bits=0), UNDECODABLE),
    "wav of 4 GB by its header": lambda: HostileFile(
        _AUDIO, wav(size=0xFFFFFFFF), (DECODED, UNDECODABLE, "audio_seconds")
    ),
    "wav without samples": lambda: refused(_AUDIO, wav(data=b""), UNDECODABLE),
    "wav of an unknown codec": lambda: refused(_AUDIO, wav(kind=0x161), UNDECODABLE),
    "wav of an hour and a second": lambda: refused(
        _AUDIO, wav(rate_hz=8_000, bits=8, data=bytes(8_000 * 3_601)), "audio_seconds"
    ),
    "wav that holds an mp3": lambda: refused(
        _AUDIO, wav(kind=0x55, data=sample("mp3").data), UNDECODABLE
    ),
    "wav with a tail of noise": lambda: decoded(
        _AUDIO, sample("wav").data + np.random.default_rng(4).bytes(1_000_000)
    ),
    "wav that is html": lambda: decoded(_AUDIO, sample("wav").data + b"<script>alert(1)</script>"),
    "flac of 67 minutes of silence": lambda: refused(
        _AUDIO, silent_flac(4_000, 8_000, 1), "audio_seconds"
    ),
    "flac of 67 minutes that tells no length": lambda: refused(
        _AUDIO, silent_flac(4_000, 8_000, 1, is_length_told=False), "audio_seconds"
    ),
    "flac of silence in eight channels": lambda: decoded(_AUDIO, silent_flac(20, 192_000, 8)),
    "flac with a broken checksum": lambda: HostileFile(
        _AUDIO,
        sample("flac").data[:-40] + bytes(8) + sample("flac").data[-32:],
        (DECODED, UNDECODABLE),
    ),
    "mp3 whose tag claims 256 MB": lambda: refused(
        _AUDIO, id3(0x0FFFFFFF) + sample("mp3").data, UNDECODABLE
    ),
    "mp3 with a tag that swells": lambda: decoded(_AUDIO, swelling_id3() + sample("mp3").data),
    "mp3 behind a hundred thousand tags": lambda: decoded(
        _AUDIO, id3(0) * 100_000 + sample("mp3").data
    ),
    "mp3 with a tail of noise": lambda: decoded(
        _AUDIO, sample("mp3").data + np.random.default_rng(4).bytes(1_000_000)
    ),
    "mp3 that is one frame header": lambda: refused(_AUDIO, b"\xff\xfb\x90\x00", UNDECODABLE),
    "id3 tag alone": lambda: refused(_AUDIO, id3(0), UNDECODABLE),
    "flac behind an id3 tag": lambda: HostileFile(
        _AUDIO, id3(0) + sample("flac").data, (DECODED, UNDECODABLE)
    ),
    "ogg twice": lambda: HostileFile(_AUDIO, sample("ogg").data * 2, (DECODED, UNDECODABLE)),
    "ogg of video": lambda: refused(
        _AUDIO, b"OggS\0\x02" + bytes(20) + b"\x01\x2a\x80theora" + bytes(40), UNDECODABLE
    ),
    "opus that skips everything": lambda: HostileFile(
        _AUDIO,
        sample("opus").data.replace(b"OpusHead\x01\x01", b"OpusHead\x01\xff", 1),
        ("audio_channels", UNDECODABLE, DECODED),
    ),
    "m4a of half a day a packet": lambda: refused(_AUDIO, long_m4a(), "audio_seconds"),
    "m4a of four billion equal samples": lambda: refused(
        _AUDIO,
        with_boxes(sample("m4a").data, {b"stsz": numbers(0, 1, 0xFFFF_FFFF)}),
        UNDECODABLE,
    ),
    "m4a at 0 Hz": lambda: HostileFile(
        _AUDIO,
        with_boxes(sample("m4a").data, {b"mdhd": numbers(0, 0, 0, 0, 0, 0)}),
        (DECODED, UNDECODABLE),
    ),
    "m4a that is a video": lambda: refused(
        _AUDIO, sample("mp4-h264").data.replace(b"ftypisom", b"ftypM4A "), UNDECODABLE
    ),
    # PyAV would read memory that is none.
    "webm of sixteen channels": lambda: refused(
        _AUDIO, encode_audio(np.zeros((4_800, 16), np.float32), 48_000, "WEBM"), UNDECODABLE
    ),
    "webm of eight channels": lambda: decoded(
        _AUDIO, encode_audio(np.zeros((4_800, 8), np.float32), 48_000, "WEBM")
    ),
    "webm with a video for a sound": lambda: refused(_AUDIO, sample("webm-vp8").data, UNDECODABLE),
    "pcm of an odd number of bytes": lambda: refused(_AUDIO, bytes(3_201), UNDECODABLE, pcm=_S16),
    "pcm of one byte": lambda: refused(_AUDIO, b"\x01", UNDECODABLE, pcm=_S16),
    "pcm of 10000 channels": lambda: refused(
        _AUDIO,
        bytes(20_000),
        "audio_channels",
        pcm=PcmFormat(PcmEncoding.S16, 16_000, 10_000),
    ),
    "pcm at 4 GHz": lambda: refused(
        _AUDIO, bytes(3_200), "audio_rate_hz", pcm=PcmFormat(PcmEncoding.S16, 4_000_000_000)
    ),
    "pcm of numbers that are none": lambda: decoded(
        _AUDIO,
        np.full(1_600, np.nan, "<f4").tobytes(),
        pcm=PcmFormat(PcmEncoding.F32, 16_000),
    ),
    "hour of pcm": lambda: refused(
        _AUDIO,
        bytes(3_601 * 2_000),
        "audio_seconds",
        pcm=PcmFormat(PcmEncoding.S16, 1_000),
    ),
    "wav of full-scale noise": lambda: decoded(
        _AUDIO,
        encode_audio(np.sign(tone(7_999, 1, 48_000)), 48_000, "WAV", "FLOAT"),
    ),
}
