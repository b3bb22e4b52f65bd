"""A file is what its bytes say; what the caller says must agree."""

from __future__ import annotations

import pytest

from service.domain.conversation import InlineSource, Modality
from service.errors import MediaUndecodableError
from service.media.file_format import FileFormat, recognise
from tests.unit.media.files import FIELD, encode_audio, encode_image, gradient, sample_file, tone

MODALITIES = (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)
WRONG_KINDS = [
    (known, modality)
    for known in FileFormat
    for modality in MODALITIES
    if known.modality is not modality
]


def refusal(source: InlineSource, modality: Modality) -> str:
    """Return what `recognise` says against a source."""
    with pytest.raises(MediaUndecodableError) as caught:
        recognise(FIELD, source, modality)
    assert [field for field, _ in caught.value.violations] == [FIELD]
    return caught.value.message


@pytest.mark.parametrize("file_format", FileFormat)
def test_real_files_are_recognised(file_format: FileFormat) -> None:
    """The encoders' own files begin as the formats say."""
    source = InlineSource(sample_file(file_format))
    assert recognise(FIELD, source, file_format.modality) is file_format


@pytest.mark.parametrize(("file_format", "modality"), WRONG_KINDS)
def test_another_kind_is_refused_and_named(file_format: FileFormat, modality: Modality) -> None:
    """Sound bytes in an image part are told to be sound, with what an image part takes."""
    message = refusal(InlineSource(sample_file(file_format)), modality)
    assert f"the bytes are {file_format.label}, which is {file_format.modality}" in message
    for taken in (known for known in FileFormat if known.modality is modality):
        assert taken.label in message


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 64,
        b"GIF89a" + b"\x00" * 64,
        b"%PDF-1.7\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"RIFF\x10\x00\x00\x00AVI LIST",
        b"RIFF",
        b"\xff",
        b"\xff\xf1\x50\x80\x02\x1f\xfc",
        b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska",
        b"\x89PNG\n",
    ],
    ids=["empty", "zeros", "gif", "pdf", "svg", "avi", "riff", "one byte", "aac", "mkv", "png cut"],
)
def test_unknown_bytes_are_refused_with_the_known_formats(data: bytes, modality: Modality) -> None:
    """What begins like no allowed format goes to no decoder."""
    labels = ", ".join(known.label for known in FileFormat if known.modality is modality)
    assert refusal(InlineSource(data), modality) == f"{FIELD}: the bytes are none of {labels}"


@pytest.mark.parametrize("file_format", FileFormat)
def test_own_media_types_are_accepted(file_format: FileFormat) -> None:
    """Every name that a format goes by, in any case and with parameters; and no claim at all."""
    data = sample_file(file_format)
    claims = [*file_format.mime_types, None, "", "application/octet-stream"]
    claims += [f" {file_format.mime_types[0].upper()}; codecs=x"]
    for claim in claims:
        assert recognise(FIELD, InlineSource(data, claim), file_format.modality) is file_format


@pytest.mark.parametrize("claim", ["image/jpeg", "image/png2", "audio/png", "text/html", "png"])
def test_a_media_type_that_disagrees_is_refused(claim: str) -> None:
    """A claim of another type is an error of the caller, even if the bytes are allowed."""
    source = InlineSource(sample_file(FileFormat.PNG), claim)
    assert f"source.mime_type says {claim!r}, but the bytes are PNG" in refusal(
        source, Modality.IMAGE
    )


def test_an_mp3_is_recognised_with_and_without_its_tag() -> None:
    """MP3 files begin with an ID3 tag or with a frame."""
    bare = encode_audio(tone(440, 0.1, 24_000), 24_000, "MP3")
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)
    for data in (bare, tag + bare):
        assert recognise(FIELD, InlineSource(data), Modality.AUDIO) is FileFormat.MP3


@pytest.mark.parametrize("header", ["fffb", "fffa", "fff3", "ffe3", "fffd"])
def test_mpeg_audio_frames_of_all_versions_are_recognised(header: str) -> None:
    """Versions 1, 2 and 2.5, with and without checksum, begin with different bytes."""
    data = bytes.fromhex(header) + b"\x94\xc4"
    assert recognise(FIELD, InlineSource(data), Modality.AUDIO) is FileFormat.MP3


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"M4V "])
def test_mp4_is_recognised_by_its_first_box(brand: bytes) -> None:
    """The brand says who wrote the file, not what it is."""
    data = b"\x00\x00\x00\x14ftyp" + brand + bytes(8)
    assert recognise(FIELD, InlineSource(data), Modality.VIDEO) is FileFormat.MP4


def test_a_name_inside_a_file_does_not_count() -> None:
    """Only the beginning tells the format: a PNG may carry anything behind it."""
    data = encode_image(gradient(), "PNG") + sample_file(FileFormat.WAV)
    assert recognise(FIELD, InlineSource(data), Modality.IMAGE) is FileFormat.PNG
    refusal(InlineSource(b"x" + sample_file(FileFormat.PNG)), Modality.IMAGE)
