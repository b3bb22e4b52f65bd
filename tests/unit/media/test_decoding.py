"""One door for all media: what comes out says whose it is; errors are about the part's field."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageFile

from service.domain.conversation import AudioPart, Modality, PcmEncoding, PcmFormat
from service.domain.limits import MediaLimits
from service.domain.media import DecodedAudio, DecodedImage, DecodedVideo
from service.errors import InvalidRequestError, LimitExceededError, MediaUndecodableError
from service.media import decoding, frame_reader, sound_track
from service.media.decoding import content_digest, decode
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    FIELD,
    SAMPLE_NAMES,
    SOURCE,
    decode_bytes,
    describe_bytes,
    encode_audio,
    encode_image,
    encode_video,
    gradient,
    grey_frames,
    part_of,
    sample,
    tone,
)

DECODED = {
    Modality.IMAGE: DecodedImage,
    Modality.AUDIO: DecodedAudio,
    Modality.VIDEO: DecodedVideo,
}


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_every_format_is_decoded(name: str) -> None:
    known = sample(name)
    claim = known.file_format.mime_type(known.modality)
    decoded = decode_bytes(known.part, known.data, claims=[claim])
    assert type(decoded) is DECODED[known.modality]
    assert (decoded.field, decoded.sha256) == (FIELD, "digest")
    if isinstance(decoded, DecodedImage):
        assert decoded.pixels.shape == (32, 48, 3)
    elif isinstance(decoded, DecodedAudio):
        assert decoded.sample_rate_hz == AUDIO_RATE_HZ
        # AAC's last frame is filled up, and without a container its first one is there too.
        filled = {"audio/mp4": 100, "audio/aac": 800}.get(claim, 0)
        assert 0 <= len(decoded.samples) - 4_000 <= filled
    else:
        assert (decoded.total_frames, decoded.frame_indices) == (12, (0, 4, 7, 11))
        assert (decoded.fps, decoded.duration_s) == pytest.approx((10, 1.2))
        assert decoded.frames.shape == (4, 48, 64, 3)
        assert (decoded.sound, decoded.sound_rate_hz) == (None, 0)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_the_file_s_position_does_not_matter(name: str) -> None:
    """Who hashed it may have left it anywhere; nor is it closed."""
    known, file = sample(name), io.BytesIO(sample(name).data)
    results = []
    for position in (0, 7, len(known.data)):
        file.seek(position)
        decoded = decode(
            known.part, file, len(known.data), MediaLimits(), audio_rate_hz=8_000, digest=""
        )
        arrays = (getattr(decoded, kind, None) for kind in ("pixels", "samples", "frames"))
        results.append(next(array for array in arrays if array is not None))
    assert not file.closed
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_a_file_of_the_system_gives_the_same(name: str) -> None:
    """A worker gets a descriptor; libtiff reads it itself, behind Pillow's back."""
    known = sample(name)
    with open(os.memfd_create("medium"), "r+b") as file:  # noqa: PTH123 - it has no path
        file.write(known.data)
        file.flush()
        decoded = decode(
            known.part,
            file,
            len(known.data),
            MediaLimits(),
            audio_rate_hz=AUDIO_RATE_HZ,
            digest="digest",
        )
        assert not file.closed
    again = decode_bytes(known.part, known.data)
    for kind in ("pixels", "samples", "frames"):
        if hasattr(again, kind):
            assert np.array_equal(getattr(decoded, kind), getattr(again, kind))


@pytest.mark.parametrize("packing", ["tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_a_packed_tiff_of_the_system_gives_the_same(packing: str) -> None:
    data = encode_image(gradient(), "TIFF", compression=packing)
    part = part_of(Modality.IMAGE)
    with open(os.memfd_create("medium"), "r+b") as file:  # noqa: PTH123 - it has no path
        file.write(data)
        decoded = decode(
            part, file, len(data), MediaLimits(), audio_rate_hz=AUDIO_RATE_HZ, digest=""
        )
        assert file.seek(0) == 0
    assert np.array_equal(decoded.pixels, decode_bytes(part, data).pixels)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_a_description_is_what_decoding_finds(name: str) -> None:
    known = sample(name)
    told = describe_bytes(known.part, known.data)
    assert (told.modality, told.size_bytes) == (known.modality, len(known.data))
    assert told.mime_type == known.file_format.mime_type(known.modality)
    if known.modality is Modality.IMAGE:
        assert (told.width, told.height, told.duration_s, told.frames) == (48, 32, 0, 0)
    elif known.modality is Modality.AUDIO:
        assert (told.duration_s, told.used_s) == pytest.approx((0.25, 0.25), abs=0.05)
        assert (told.channels, told.sample_rate_hz) == (
            1,
            48_000 if name == "webm-sound" else 24_000,
        )
    else:
        assert (told.width, told.height, told.frames, told.sampled_frames) == (64, 48, 12, 4)
        assert (told.duration_s, told.used_s) == pytest.approx((1.2, 1.2))


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_describing_decodes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = sample(name)
    for owner, method in (
        (ImageFile.ImageFile, "load"),
        (soundfile.SoundFile, "read"),
        (frame_reader._Pictures, "see"),
        (sound_track._SoundTrack, "blocks"),
    ):
        monkeypatch.setattr(owner, method, lambda *_, **__: pytest.fail("decoded"))
    describe_bytes(known.part, known.data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_a_picture_on_its_side_is_described_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[0x112] = 8
    data = encode_image(gradient(), kind, exif=exif)
    told = describe_bytes(part_of(Modality.IMAGE), data)
    height, width, _ = decode_bytes(part_of(Modality.IMAGE), data).pixels.shape
    assert (told.width, told.height) == (width, height) == (32, 48)


def test_a_description_counts_the_cut_too() -> None:
    video = encode_video(grey_frames(30), sound=np.stack([tone(440, 3, 48_000)] * 2, axis=1))
    told = describe_bytes(part_of(Modality.VIDEO, start_s=1.0, end_s=2.0, use_sound=True), video)
    assert (told.frames, told.duration_s, told.used_s) == pytest.approx((30, 3, 1))
    assert (told.channels, told.sample_rate_hz) == (2, 48_000)
    wav = encode_audio(tone(440, 3, 8_000), 8_000, "WAV")
    told = describe_bytes(part_of(Modality.AUDIO, start_s=0.5, end_s=2.0), wav)
    assert (told.duration_s, told.used_s) == (3, 1.5)


@pytest.mark.parametrize(
    ("name", "limit", "value", "over"),
    [
        ("png", "image_pixels", 48 * 32, 48 * 32 - 1),
        ("jpeg", "image_side", 48, 47),
        ("tiff", "image_pixels", 48 * 32, 48 * 32 - 1),
        ("avif", "image_side", 48, 47),
        ("gif", "image_side", 48, 47),
        ("wav", "audio_seconds", 0.25, 0.24),
        ("flac", "audio_rate_hz", 24_000, 23_999),
        ("mp3", "audio_seconds", 0.26, 0.24),
        ("m4a", "audio_seconds", 0.26, 0.24),
        ("opus", "audio_channels", 1, 0),
        ("pcm", "audio_seconds", 0.25, 0.24),
        ("pcm", "audio_rate_hz", 24_000, 23_999),
        ("pcm", "audio_channels", 1, 0),
        ("mp4-h264", "video_seconds", 1.21, 1.19),
        ("mp4-h265", "video_side", 64, 63),
        ("webm-vp9", "video_frames", 4, 3),
        ("webm-av1", "video_frame_pixels", 64 * 48, 64 * 48 - 1),
        ("gif-video", "video_frame_pixels", 64 * 48, 64 * 48 - 1),
        ("gif-video", "video_seconds", 1.21, 1.19),
        ("webm-vp8", "video_bytes", 4 * 64 * 48 * 3, 4 * 64 * 48 * 3 - 1),
    ],
)
def test_a_description_checks_the_same_limits(
    name: str, limit: str, value: float, over: float
) -> None:
    """A limit can be reached; above it, the header is enough to refuse."""
    known = sample(name)
    for act in (describe_bytes, decode_bytes):
        act(known.part, known.data, MediaLimits(**{limit: value}))
        with pytest.raises(LimitExceededError) as caught:
            act(known.part, known.data, MediaLimits(**{limit: over}))
        assert (caught.value.metadata["field"], caught.value.metadata["limit"]) == (FIELD, limit)


def test_the_digest_names_what_is_decoded() -> None:
    """Equal bytes with equal options have the same digest; any difference gives another."""
    first, second = (hashlib.sha256(data).digest() for data in (b"one", b"two"))
    image, audio, video = (part_of(kind) for kind in DECODED)
    pcm = PcmFormat(PcmEncoding.S16, 16_000)
    parts = [image, replace(image, max_pixels=9), audio, replace(audio, start_s=1.0)]
    parts += [replace(audio, end_s=1.0), replace(audio, pcm=pcm)]
    parts += [replace(audio, pcm=replace(pcm, channels=2))]
    parts += [replace(audio, pcm=replace(pcm, sample_rate_hz=8_000))]
    parts += [replace(audio, pcm=replace(pcm, encoding=PcmEncoding.S32))]
    parts += [video, replace(video, fps=2.0), replace(video, num_frames=2)]
    parts += [replace(video, use_sound=True), replace(video, start_s=2.0)]
    digests = [content_digest(part, sha256) for part in parts for sha256 in (first, second)]
    assert len(set(digests)) == 2 * len(parts)
    moved = [replace(part, field="elsewhere") for part in parts]
    again = [content_digest(part, sha256) for part in moved for sha256 in (first, second)]
    assert again == digests


def test_headerless_samples_that_are_a_file_are_the_declaration_s_fault() -> None:
    part = AudioPart(FIELD, SOURCE, pcm=PcmFormat(PcmEncoding.S16, 16_000))
    with pytest.raises(InvalidRequestError) as caught:
        decode_bytes(part, sample("wav").data)
    assert caught.value.violations == [
        (f"{FIELD}.pcm", "the bytes are a WAV file, not headerless samples")
    ]
    with pytest.raises(MediaUndecodableError, match="said to be 'audio/wav', but"):
        decode_bytes(part, b"\x01\x00" * 800, claims=["audio/wav"])


@pytest.mark.parametrize("error", [MemoryError(), OSError(12, "Cannot allocate memory")])
def test_a_lack_of_memory_is_the_worker_s_affair(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It says nothing about the file; FFmpeg reports its own as an error number."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(decoding, "decode_image", fail)
    with pytest.raises(MemoryError):
        decode_bytes(sample("png").part, sample("png").data)
