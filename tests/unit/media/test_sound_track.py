"""Sounds in containers: their whole length, any cut of it, and the sound of a video."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from service.domain.limits import MediaLimits
from service.errors import InvalidRequestError, LimitExceededError, MediaUndecodableError
from service.media.audio import decode_audio, describe_audio
from service.media.video import decode_video
from tests.unit.media.files import (
    AUDIO_RATE_HZ,
    FIELD,
    audio_medium,
    encode_audio,
    encode_video,
    grey_frames,
    tone,
    video_medium,
)

TRACKS = ("MP3", "AAC", "M4A", "MP4", "WEBM")
CLIPS = {"mp4": "libx264", "webm": "libvpx"}


def rising(seconds: int, rate_hz: int) -> np.ndarray:
    """Return a sound whose loudness tells the second: 0.05, 0.10, …"""
    levels = np.repeat(np.arange(1, seconds + 1) * 0.05, rate_hz)
    return (tone(1_000, seconds, rate_hz) * 2 * levels).astype(np.float32)


def levels_of(samples: np.ndarray) -> list[float]:
    """Return the loudness of each whole second, from its middle half."""
    seconds = samples[: len(samples) // AUDIO_RATE_HZ * AUDIO_RATE_HZ].reshape(-1, AUDIO_RATE_HZ)
    quarter = AUDIO_RATE_HZ // 4
    return [float(np.abs(second[quarter:-quarter]).max()) for second in seconds]


def variable_mp3() -> bytes:
    """Return ten seconds of silence, then ten of noise, in frames of very different sizes."""
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, 10 * 24_000)
    wave = np.concatenate([np.zeros(10 * 24_000), noise]).astype(np.float32)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3", options={"write_xing": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=24_000, options={"b": "0", "q": "2"})
        stream.layout = "mono"
        stream.codec_context.options = {"compression_level": "7"}
        stream.codec_context.global_quality = 2 * 118
        stream.codec_context.qscale = True
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 24_000, 0
        context = stream.codec_context
        context.open(strict=False)
        for piece in av.AudioResampler("fltp", "mono", 24_000, context.frame_size).resample(frame):
            container.mux(stream.encode(piece))
        container.mux(stream.encode())
    return buffer.getvalue()


@pytest.mark.parametrize("kind", TRACKS)
@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 3.0), (0.5, 1.5), (3.0, 6.0), (5.0, 9.0)])
def test_a_cut_is_where_it_should_be(kind: str, start_s: float, end_s: float) -> None:
    """Also far from the beginning, whose packets are passed over."""
    data = encode_audio(rising(10, 24_000), 24_000, kind)
    whole = decode_audio(audio_medium(data), AUDIO_RATE_HZ)
    cut = decode_audio(audio_medium(data, start_s=start_s, end_s=end_s), AUDIO_RATE_HZ)
    first = round(start_s * AUDIO_RATE_HZ)
    assert len(cut) == round((end_s - start_s) * AUDIO_RATE_HZ)
    expected = whole[first : first + len(cut)]
    # The resampler hears silence before and behind a cut; and WebM's times are whole milliseconds,
    # of which the tone has one wave.
    tolerance = 0.1 if kind == "WEBM" else 2e-3
    assert np.abs(cut - expected)[50:-50].max() < tolerance


def test_an_mp3_of_variable_bit_rate_is_heard_to_its_end() -> None:
    """It has no header that tells how long it is, and its first frames tell far too little."""
    data = variable_mp3()
    assert b"Xing" not in data
    assert b"Info" not in data
    told = describe_audio(audio_medium(data))
    assert told.duration_s == pytest.approx(20, abs=0.2)
    samples = decode_audio(audio_medium(data), AUDIO_RATE_HZ)
    assert len(samples) == pytest.approx(20 * AUDIO_RATE_HZ, abs=0.2 * AUDIO_RATE_HZ)
    levels = levels_of(samples)
    assert max(levels[:9]) < 0.01
    assert min(levels[11:19]) > 0.3


def test_a_length_that_no_header_tells_is_limited() -> None:
    limits = MediaLimits(audio_seconds=15)
    for act in (describe_audio, lambda medium: decode_audio(medium, AUDIO_RATE_HZ)):
        with pytest.raises(LimitExceededError) as caught:
            act(audio_medium(variable_mp3(), limits))
        assert caught.value.metadata["limit"] == "audio_seconds"


@pytest.mark.parametrize("size", [0, 1, 5_000, 300_000])
def test_a_tag_before_an_mp3_is_passed_over(size: int) -> None:
    """Its picture may be larger than the song; several may follow each other."""
    bare = encode_audio(tone(440, 0.5, 24_000), 24_000, "MP3")
    tag = b"ID3\x04\x00\x00" + bytes(size >> 7 * n & 0x7F for n in (3, 2, 1, 0)) + b"\xff" * size
    expected = decode_audio(audio_medium(bare), AUDIO_RATE_HZ)
    for tags in (tag, tag * 3):
        assert np.array_equal(decode_audio(audio_medium(tags + bare), AUDIO_RATE_HZ), expected)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize("kind", ["M4A", "WEBM"])
def test_channels_are_averaged(kind: str, channels: int) -> None:
    """One loud channel among silent ones keeps its share."""
    wave = np.zeros((48_000, channels), np.float32)
    wave[:, 0] = tone(440, 1, 48_000)
    samples = decode_audio(audio_medium(encode_audio(wave, 48_000, kind)), AUDIO_RATE_HZ)
    level = float(np.abs(samples[4_000:-4_000]).max())
    assert level == pytest.approx(0.5 / channels, abs=0.02)


def test_more_channels_than_pyav_reads_are_refused() -> None:
    """It would read memory that is not the sound's."""
    data = encode_audio(np.zeros((48_000, 16), np.float32), 48_000, "WEBM")
    with pytest.raises(MediaUndecodableError, match="has 16 channels; of this kind of file, 8"):
        decode_audio(audio_medium(data), AUDIO_RATE_HZ)


@pytest.mark.parametrize("kind", CLIPS)
def test_a_video_has_its_sound_if_it_is_wanted(kind: str) -> None:
    sound = rising(3, 48_000)
    data = encode_video(grey_frames(30), CLIPS[kind], sound=np.stack([sound] * 2, axis=1))
    assert decode_video(video_medium(data), AUDIO_RATE_HZ).sound is None
    clip = decode_video(video_medium(data, use_sound=True), AUDIO_RATE_HZ)
    assert clip.sound is not None
    assert clip.sound.dtype == np.float32
    assert levels_of(clip.sound)[:3] == pytest.approx([0.05, 0.1, 0.15], abs=0.02)
    assert len(clip.frames) == 6


@pytest.mark.parametrize("kind", CLIPS)
def test_the_sound_is_cut_with_the_video(kind: str) -> None:
    data = encode_video(grey_frames(40), CLIPS[kind], sound=rising(4, 48_000))
    medium = video_medium(data, use_sound=True, start_s=2.0, end_s=3.0)
    clip = decode_video(medium, AUDIO_RATE_HZ)
    assert clip.sound is not None
    assert (len(clip.sound), clip.total_frames) == (AUDIO_RATE_HZ, 10)
    assert levels_of(clip.sound) == pytest.approx([0.15], abs=0.02)


def test_a_sound_that_ends_before_the_cut_is_no_sound_to_use() -> None:
    data = encode_video(grey_frames(40), sound=tone(440, 1, 48_000))
    with pytest.raises(InvalidRequestError) as caught:
        decode_video(video_medium(data, use_sound=True, start_s=2.0), AUDIO_RATE_HZ)
    ((field, problem),) = caught.value.violations
    assert field == f"{FIELD}.use_sound"
    assert problem.startswith("2 is beyond the end of the sound at 1")


@pytest.mark.parametrize("kind", ["M4A ALAC", "MP4 FLAC", "MP4 MP3", "MP4 OPUS", "WEBM VORBIS"])
def test_other_codecs_keep_pitch_and_level(kind: str) -> None:
    """Some give whole numbers, some a plane for each channel."""
    wave = np.stack([tone(440, 1, 48_000)] * 2, axis=1)
    samples = decode_audio(audio_medium(encode_audio(wave, 48_000, kind)), AUDIO_RATE_HZ)
    assert len(samples) == pytest.approx(AUDIO_RATE_HZ, abs=800)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(spectrum) * AUDIO_RATE_HZ / len(samples) == pytest.approx(440, abs=1.5)
    assert float(np.abs(samples[2_000:-4_000]).max()) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("codec", ["libx264", "libvpx", "gif"])
def test_a_silent_video_has_no_sound_to_use(codec: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_video(video_medium(encode_video(grey_frames(4), codec), use_sound=True), 16_000)
    assert caught.value.violations == [(f"{FIELD}.use_sound", "the video has no sound track")]


@pytest.mark.parametrize(
    ("name", "value"), [("audio_seconds", 2.5), ("audio_channels", 1), ("audio_rate_hz", 44_100)]
)
@pytest.mark.parametrize("kind", CLIPS)
def test_the_sound_of_a_video_is_limited_too(kind: str, name: str, value: float) -> None:
    sound = np.stack([rising(3, 48_000)] * 2, axis=1)
    data = encode_video(grey_frames(30), CLIPS[kind], sound=sound)
    limits = MediaLimits(**{name: value})
    with pytest.raises(LimitExceededError) as caught:
        decode_video(video_medium(data, limits, use_sound=True), AUDIO_RATE_HZ)
    assert caught.value.metadata["limit"] == name
    decode_video(video_medium(data, limits), AUDIO_RATE_HZ)


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_a_video_is_no_sound(codec: str) -> None:
    data = encode_video(grey_frames(30), codec, sound=tone(440, 3, 48_000))
    with pytest.raises(MediaUndecodableError, match="holds a video; send it as a video"):
        decode_audio(audio_medium(data), AUDIO_RATE_HZ)
