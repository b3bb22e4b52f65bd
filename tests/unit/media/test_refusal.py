"""A file that cannot be used is refused in one line, about the part's own field."""

from __future__ import annotations

import pytest

from service.domain.conversation import Modality
from service.errors import MediaUndecodableError
from service.media import decoding
from tests.unit.media.files import FIELD, SAMPLE_NAMES, Sample, decode_bytes, part_of, sample

# These say how much there should be; the others may be streams, and give what is there.
COUNTING = ("png", "jpeg", "webp", "gif", "bmp", "tiff", "avif", "flac", "mp4-h264", "m4a")
# What the decoders here say, where the libraries are content.
OWN_WORDS = (
    "the sound breaks off; it is incomplete",
    "the video stream holds no frames",
    "the file holds no sound",
    "the video codec of the MP4 file is unknown, none of h264, hevc, av1, vp9, mpeg4",
)


def refusal(known: Sample, data: bytes) -> str:
    """Return what is said against a file, without the field."""
    with pytest.raises(MediaUndecodableError) as caught:
        decode_bytes(known.part, data)
    ((field, problem),) = caught.value.violations
    assert field == caught.value.metadata["field"] == FIELD
    assert caught.value.message == f"{FIELD}: {problem}"
    return problem


@pytest.mark.parametrize("name", [name for name in SAMPLE_NAMES if name != "pcm"])
def test_a_file_that_only_begins_well_is_refused_by_name(name: str) -> None:
    """Nothing tells of the server's inside, such as where an object lies."""
    known = sample(name)
    # WebM is known by what comes later, and WebP says its size there.
    head = known.data[: 40 if known.file_format.name in ("WEBM", "WEBP") else 18]
    problem = refusal(known, head + b"\xee" * 200)
    is_named = known.file_format.label in problem
    assert is_named or problem in OWN_WORDS or problem.startswith(("the file", "the sound"))
    for inside in ("\n", " object at 0x", "Errno", "_io.", "avcodec"):
        assert inside not in problem


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("name", COUNTING)
def test_a_truncated_file_is_refused(name: str, kept: float) -> None:
    known = sample(name)
    problem = refusal(known, known.data[: int(len(known.data) * kept)])
    label = known.file_format.label
    assert problem.startswith(f"the {label} file cannot be decoded: ") or problem in OWN_WORDS


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.AUDIO, Modality.VIDEO])
def test_no_bytes_are_refused(modality: Modality) -> None:
    with pytest.raises(MediaUndecodableError, match="the bytes are none of"):
        decode_bytes(part_of(modality), b"")


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ValueError("first line\nsecond line"), "first line"),
        (OSError(5, "bad tile", "name"), "bad tile"),
        (EOFError(), "EOFError"),
        (ValueError(" \n"), "ValueError"),
        (ValueError("cannot read <_io.BytesIO object at 0x7f>"), "cannot read"),
        (ValueError("<_io.BytesIO object at 0x7f>"), "ValueError"),
        (KeyError("exif"), "'exif'"),
    ],
    ids=str,
)
def test_whatever_a_decoder_raises_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, told: str
) -> None:
    """Also what has no text of its own."""

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(decoding, "decode_image", fail)
    assert refusal(sample("png"), sample("png").data) == (f"the PNG file cannot be decoded: {told}")
