"""Real files in memory, one way for each kind, and the parts of a request that hold them."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

from service.domain.conversation import (
    AudioPart,
    ImagePart,
    InlineData,
    MediaPart,
    MediaSource,
    Modality,
    PcmEncoding,
    PcmFormat,
    VideoPart,
)
from service.domain.limits import MediaLimits
from service.domain.media import DecodedMedia, MediaDescription
from service.media.decoding import decode, describe
from service.media.file_format import FileFormat, detect
from service.media.open_medium import OpenMedium

FIELD = "conversation.messages[0].parts[1].media"
# Decoders get the bytes beside the part; where they came from is no matter of theirs.
SOURCE = MediaSource(InlineData(b""))
# What the models of these tests hear.
AUDIO_RATE_HZ = 16_000
# How much brighter each frame of `encode_video` is than the one before.
GREY_STEP = 8
# What each codec's usual file is, and how it is quick without losing much.
_CODECS = {
    "libx264": ("mp4", {"preset": "ultrafast"}),
    "libx265": ("mp4", {"preset": "ultrafast", "crf": "12", "x265-params": "log-level=none"}),
    "mpeg4": ("mp4", {"qmin": "2", "qmax": "4"}),
    "libvpx": ("webm", {"deadline": "realtime", "cpu-used": "8"}),
    "libvpx-vp9": ("webm", {"deadline": "realtime", "cpu-used": "8"}),
    "libsvtav1": ("webm", {"preset": "10", "crf": "10"}),
    "gif": ("gif", {}),
}
VIDEO_CODECS = tuple(_CODECS)
_PARTS = {Modality.IMAGE: ImagePart, Modality.AUDIO: AudioPart, Modality.VIDEO: VideoPart}
_PCM = PcmFormat(PcmEncoding.S16, 24_000)


def part_of(modality: Modality, **options: object) -> MediaPart:
    """Return a part of a kind."""
    return _PARTS[modality](FIELD, SOURCE, **options)


def medium_of(part: MediaPart, data: bytes, limits: MediaLimits | None = None) -> OpenMedium:
    """Return a file as the decoders of a kind take it."""
    raw = isinstance(part, AudioPart) and part.pcm is not None
    file_format = FileFormat.PCM if raw else detect(data)
    assert file_format is not None
    return OpenMedium(part, io.BytesIO(data), len(data), file_format, limits or MediaLimits())


def image_medium(
    data: bytes, max_pixels: int | None = None, limits: MediaLimits | None = None
) -> OpenMedium[ImagePart]:
    return medium_of(ImagePart(FIELD, SOURCE, max_pixels), data, limits)


def audio_medium(
    data: bytes, limits: MediaLimits | None = None, **options: object
) -> OpenMedium[AudioPart]:
    return medium_of(AudioPart(FIELD, SOURCE, **options), data, limits)


def video_medium(
    data: bytes, limits: MediaLimits | None = None, **options: object
) -> OpenMedium[VideoPart]:
    return medium_of(VideoPart(FIELD, SOURCE, **options), data, limits)


def decode_bytes(
    part: MediaPart, data: bytes, limits: MediaLimits | None = None, claims: Sequence[str] = ()
) -> DecodedMedia:
    """Decode as a worker does."""
    return decode(
        part,
        io.BytesIO(data),
        len(data),
        limits or MediaLimits(),
        audio_rate_hz=AUDIO_RATE_HZ,
        digest="digest",
        claimed_mime_types=claims,
    )


def describe_bytes(
    part: MediaPart, data: bytes, limits: MediaLimits | None = None
) -> MediaDescription:
    """Describe as a worker does."""
    return describe(part, io.BytesIO(data), len(data), limits or MediaLimits())


def gradient(width: int = 48, height: int = 32) -> NDArray[np.uint8]:
    """Return a smooth RGB picture: red grows to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    planes = (x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), np.full_like(x, 90))
    return np.stack(planes, axis=-1).astype(np.uint8)


def encode_image(picture: Image.Image | NDArray[np.uint8], kind: str, **options: object) -> bytes:
    """Encode as one of Pillow's formats, with its options."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def tone(hz: float, seconds: float, rate_hz: int) -> NDArray[np.float32]:
    """Return a sine of half the full scale."""
    moments_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hz * moments_s)).astype(np.float32)


def encode_audio(
    samples: NDArray[np.floating], rate_hz: int, kind: str, subtype: str | None = None
) -> bytes:
    """Encode samples [n] or [n, channels] as `WAV`, `FLAC`, `MP3`, `OGG`, or by `encode_track`."""
    if kind in _TRACKS:
        return encode_track(samples, rate_hz, kind)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate_hz, format=kind, subtype=subtype)
    return buffer.getvalue()


_TRACKS = {
    "AAC": ("adts", "aac"),
    "M4A": ("ipod", "aac"),
    "MP4": ("mp4", "aac"),
    "WEBM": ("webm", "libopus"),
    # What is seen less often, but read.
    "M4A ALAC": ("ipod", "alac"),
    "MP4 FLAC": ("mp4", "flac"),
    "MP4 MP3": ("mp4", "libmp3lame"),
    "MP4 OPUS": ("mp4", "libopus"),
    "WEBM VORBIS": ("webm", "vorbis"),
}


def encode_track(samples: NDArray[np.floating], rate_hz: int, kind: str) -> bytes:
    """Encode samples as `AAC`, `M4A`, `MP4` or `WEBM`, with its usual codec or another."""
    buffer = io.BytesIO()
    container_format, codec = _TRACKS[kind]
    with av.open(buffer, "w", format=container_format) as container:
        _add_sound(container, codec, samples, rate_hz)()
    return buffer.getvalue()


def _add_sound(
    container: av.container.OutputContainer,
    codec: str,
    samples: NDArray[np.floating],
    rate_hz: int,
) -> Callable[[], None]:
    """Add a stream, and return what writes it: all streams come before the first packet."""
    wave = np.ascontiguousarray(samples.reshape(len(samples), -1), np.float32)
    channels = wave.shape[1]
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1", 16: "hexadecagonal"}[channels]
    # Opus has an order of its own for up to eight channels, and none for more.
    options = {"strict": "experimental"} | ({"mapping_family": "255"} if channels > 8 else {})
    stream = container.add_stream(codec, rate=rate_hz, options=options)
    stream.layout = layout
    stream.bit_rate = 160_000

    def write() -> None:
        # Of a frame with a plane for each channel, PyAV 18.1 writes beyond the eighth.
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, 0
        context = stream.codec_context
        context.open(strict=False)
        pieces = av.AudioResampler(context.format, layout, rate_hz, context.frame_size)
        for piece in (*pieces.resample(frame), *pieces.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode())

    return write


def grey_frames(count: int, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Return frames that differ in brightness, by which `frame_numbers` knows them again."""
    return [np.full((height, width, 3), GREY_STEP * (n % 32), np.uint8) for n in range(count)]


def frame_numbers(frames: NDArray[np.uint8]) -> list[int]:
    """Return which of `grey_frames` these are; encoding changes the brightness a little."""
    return [round(float(frame.mean()) / GREY_STEP) for frame in frames]


def encode_video(  # noqa: PLR0913 - each is one trait of the file
    frames: Sequence[NDArray[np.uint8]],
    codec: str = "libx264",
    *,
    rate: int = 10,
    options: dict[str, str] | None = None,
    movflags: str = "",
    kind: str | None = None,
    sound: NDArray[np.floating] | None = None,
    sound_rate_hz: int = 48_000,
) -> bytes:
    """Encode frames in the codec's usual container, or another, with or without a sound track."""
    buffer = io.BytesIO()
    usual_kind, codec_options = _CODECS[codec]
    kind = kind or usual_kind
    container_options = {"movflags": movflags} if movflags else {}
    with av.open(buffer, "w", format=kind, options=container_options) as container:
        stream = container.add_stream(codec, rate=rate, options=codec_options | (options or {}))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        write_sound = lambda: None  # noqa: E731 - a video is silent, or not
        if sound is not None:
            sound_codec = "aac" if kind == "mp4" else "libopus"
            write_sound = _add_sound(container, sound_codec, sound, sound_rate_hz)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
        write_sound()
    return buffer.getvalue()


@dataclass(frozen=True)
class Sample:
    """A small file that is in order, and the part that takes it."""

    part: MediaPart
    file_format: FileFormat
    data: bytes

    @property
    def modality(self) -> Modality:
        return self.part.modality


_IMAGES = {
    kind.lower(): FileFormat[kind] for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
}
_SOUNDS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", None),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "aac": ("AAC", None),
    "m4a": ("M4A", None),
    "mp4-sound": ("MP4", None),
    "webm-sound": ("WEBM", None),
}
_VIDEOS = {
    "mp4-h264": ("MP4", "libx264"),
    "mp4-h265": ("MP4", "libx265"),
    "mp4-mpeg4": ("MP4", "mpeg4"),
    "webm-vp8": ("WEBM", "libvpx"),
    "webm-vp9": ("WEBM", "libvpx-vp9"),
    "webm-av1": ("WEBM", "libsvtav1"),
    "gif-video": ("GIF", "gif"),
}
SAMPLE_NAMES = (*_IMAGES, *_SOUNDS, "pcm", *_VIDEOS)


@functools.cache
def sample(name: str) -> Sample:
    """Return a gradient of 48 x 32, a quarter second's tone, or twelve grey frames in 1.2 s."""
    if name in _IMAGES:
        data = encode_image(gradient(), _IMAGES[name].name)
        return Sample(part_of(Modality.IMAGE), _IMAGES[name], data)
    if name == "pcm":
        data = (tone(440, 0.25, _PCM.sample_rate_hz) * 32767).astype("<i2").tobytes()
        return Sample(part_of(Modality.AUDIO, pcm=_PCM), FileFormat.PCM, data)
    if name in _SOUNDS:
        kind, subtype = _SOUNDS[name]
        data = encode_audio(tone(440, 0.25, 24_000), 24_000, kind, subtype)
        return Sample(part_of(Modality.AUDIO), FileFormat[kind], data)
    kind, codec = _VIDEOS[name]
    return Sample(part_of(Modality.VIDEO), FileFormat[kind], encode_video(grey_frames(12), codec))
