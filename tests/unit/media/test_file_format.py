"""A file is what its bytes say; what the caller says must agree."""

from __future__ import annotations

import pytest

from service.domain.conversation import Modality
from service.errors import MediaUndecodableError
from service.media.file_format import FileFormat, detect, formats_of, recognise
from tests.unit.media.files import FIELD, SAMPLE_NAMES, encode_audio, sample, tone

MODALITIES = (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)
DETECTED = [name for name in SAMPLE_NAMES if name != "pcm"]
WRONG_KINDS = [
    (name, modality)
    for name in (
        "png",
        "jpeg",
        "webp",
        "bmp",
        "tiff",
        "avif",
        "wav",
        "flac",
        "mp3",
        "ogg",
        "m4a",
        "aac",
    )
    for modality in MODALITIES
    if modality is not sample(name).modality
]
WRONG_KINDS += [("gif", Modality.AUDIO), ("mp4-h264", Modality.IMAGE), ("webm-vp8", Modality.IMAGE)]


def refusal(head: bytes, modality: Modality, *claims: str) -> str:
    """Return what `recognise` says against a file."""
    with pytest.raises(MediaUndecodableError) as caught:
        recognise(FIELD, head, modality, claims)
    assert [field for field, _ in caught.value.violations] == [FIELD]
    return caught.value.message


@pytest.mark.parametrize("name", DETECTED)
def test_real_files_are_recognised(name: str) -> None:
    """The encoders' own files begin as the formats say."""
    known = sample(name)
    assert detect(known.data[:4096]) is known.file_format
    assert recognise(FIELD, known.data[:4096], known.modality) is known.file_format


@pytest.mark.parametrize(("name", "modality"), WRONG_KINDS)
def test_another_kind_is_refused_and_named(name: str, modality: Modality) -> None:
    """Sound bytes in an image part are told to be sound, with what an image part takes."""
    file_format = sample(name).file_format
    message = refusal(sample(name).data, modality)
    assert f"the bytes are {file_format.label}, which is {sample(name).modality}" in message
    for taken in formats_of(modality):
        assert taken.label in message


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", ""),
        (b"\x00" * 64, ""),
        (b"GIF88a" + b"\x00" * 64, ""),
        (b"BM" + b"\x00" * 64, ""),
        (b"RIFF", ""),
        (b"\xff", ""),
        (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(64), ""),
        (b"\xff\xf1\x50\x80\x00\x1f\xfc", ""),
        (b"\xff\xf1\x50", ""),
        (b"\x89PNG\n", ""),
        (b"<!DOCTYPE html><html></html>", ""),
        (b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>", ""),
        (b"%PDF-1.7\n", "PDF"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"RIFF\x10\x00\x00\x00AVI LIST", "AVI"),
        (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska", "Matroska but not WebM"),
        (b"#EXTM3U\nhttp://127.0.0.1/", "a playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "a playlist"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIF (HEIC)"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "HEIF (HEIC)"),
        (b"II+\x00\x08\x00\x00\x00", "BigTIFF"),
    ],
)
def test_unknown_bytes_are_refused_with_the_known_formats(
    data: bytes, name: str, modality: Modality
) -> None:
    """What begins like no allowed format goes to no decoder; what people send is called by name."""
    labels = ", ".join(known.label for known in formats_of(modality))
    told = f"{name}, none of" if name else "none of"
    assert refusal(data, modality) == f"{FIELD}: the bytes are {told} {labels}"


@pytest.mark.parametrize("name", DETECTED)
def test_own_media_types_are_accepted(name: str) -> None:
    """Every name that a format goes by, in any case and with parameters; and no claim at all."""
    known = sample(name)
    own = known.file_format.mime_types[known.modality]
    for claims in [*((one,) for one in own), (), ("",), ("application/octet-stream", own[0])]:
        assert recognise(FIELD, known.data, known.modality, claims) is known.file_format
    shouted = f" {own[0].upper()}; codecs=x"
    assert recognise(FIELD, known.data, known.modality, [shouted]) is known.file_format


@pytest.mark.parametrize("claim", ["image/jpeg", "image/png2", "audio/png", "text/html", "png"])
def test_a_media_type_that_disagrees_is_refused(claim: str) -> None:
    """A claim of another type is an error of the caller, even if the bytes are allowed."""
    data = sample("png").data
    expected = f"the media type is said to be {claim!r}, but the bytes are PNG"
    assert expected in refusal(data, Modality.IMAGE, claim)
    assert expected in refusal(data, Modality.IMAGE, "image/png", claim)


def test_a_media_type_of_the_other_kind_disagrees() -> None:
    """An MP4 is `audio/mp4` in an audio part alone, and a GIF no `video/gif` in an image part."""
    refusal(sample("mp4-h264").data, Modality.VIDEO, "audio/mp4")
    refusal(sample("gif").data, Modality.IMAGE, "video/gif")


def test_an_mp3_is_recognised_with_and_without_its_tag() -> None:
    """MP3 files begin with an ID3 tag or with a frame."""
    bare = encode_audio(tone(440, 0.1, 24_000), 24_000, "MP3")
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)
    for data in (bare, tag + bare):
        assert detect(data) is FileFormat.MP3


@pytest.mark.parametrize("header", ["fffb", "fffa", "fff3", "ffe3", "fffd"])
def test_mpeg_audio_frames_of_all_versions_are_recognised(header: str) -> None:
    """Versions 1, 2 and 2.5, with and without checksum, begin with different bytes."""
    assert detect(bytes.fromhex(header) + b"\x94\xc4") is FileFormat.MP3


@pytest.mark.parametrize(
    ("brands", "expected"),
    [
        (b"isom", FileFormat.MP4),
        (b"mp42", FileFormat.MP4),
        (b"qt  ", FileFormat.MP4),
        (b"M4V ", FileFormat.MP4),
        (b"M4A ", FileFormat.M4A),
        (b"M4B ", FileFormat.M4A),
        (b"avif", FileFormat.AVIF),
        (b"avis", FileFormat.AVIF),
        (b"mif1\x00\x00\x00\x00miafavif", FileFormat.AVIF),
    ],
)
def test_an_iso_file_is_what_its_brands_say(brands: bytes, expected: FileFormat) -> None:
    """One container holds films, songs and pictures; the first box tells which."""
    body = b"ftyp" + brands.ljust(8, b"\x00")
    assert detect((len(body) + 4).to_bytes(4) + body + bytes(8)) is expected


def test_a_name_inside_a_file_does_not_count() -> None:
    """Only the beginning tells the format: a PNG may carry anything behind it."""
    assert detect(sample("png").data + sample("wav").data) is FileFormat.PNG
    assert detect(b"x" + sample("png").data) is None
