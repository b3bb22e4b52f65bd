"""A file that cannot be used is refused in one line, about the part's own field."""

from __future__ import annotations

import hashlib

import pytest

from service.domain.conversation import InlineSource, Modality
from service.errors import InvalidRequestError, LimitExceededError, MediaUndecodableError
from service.media import loader as loader_module
from service.media.file_format import FileFormat
from service.media.limits import MediaLimits
from service.media.loader import ThreadedMediaLoader
from tests.unit.media.files import AUDIO_RATE_HZ, FIELD, image_part, part_of, sample_file

# These say how much there should be; the others may be streams, and give what is there.
COUNTING_FORMATS = [
    FileFormat.PNG,
    FileFormat.JPEG,
    FileFormat.WEBP,
    FileFormat.FLAC,
    FileFormat.MP4,
]
# What the decoders here say, where the libraries are content.
OWN_WORDS = ("the sound breaks off; it is incomplete", "the video stream holds no frames")


async def refusal(loader: ThreadedMediaLoader, file_format: FileFormat, data: bytes) -> str:
    """Return what is said against a file, without the field."""
    with pytest.raises(MediaUndecodableError) as caught:
        await loader.load(part_of(file_format, InlineSource(data)))
    ((field, problem),) = caught.value.violations
    assert field == caught.value.metadata["field"] == FIELD
    assert caught.value.message == f"{FIELD}: {problem}"
    return problem


@pytest.mark.parametrize("file_format", FileFormat)
async def test_a_file_that_only_begins_well_is_refused_by_name(
    loader: ThreadedMediaLoader, file_format: FileFormat
) -> None:
    """Nothing tells of the server's inside, such as where an object lies."""
    # WebM is known by what comes later.
    head = sample_file(file_format)[: 40 if file_format is FileFormat.WEBM else 12]
    problem = await refusal(loader, file_format, head + b"\xee" * 200)
    assert problem.startswith(f"the {file_format.label} file cannot be decoded: ")
    assert "\n" not in problem
    assert " object at 0x" not in problem
    assert "Errno" not in problem


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("file_format", COUNTING_FORMATS)
async def test_a_truncated_file_is_refused(
    loader: ThreadedMediaLoader, file_format: FileFormat, kept: float
) -> None:
    data = sample_file(file_format)
    problem = await refusal(loader, file_format, data[: int(len(data) * kept)])
    label = file_format.label
    assert problem.startswith(f"the {label} file cannot be decoded: ") or problem in OWN_WORDS


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.AUDIO, Modality.VIDEO])
async def test_no_bytes_are_refused(loader: ThreadedMediaLoader, modality: Modality) -> None:
    file_format = next(known for known in FileFormat if known.modality is modality)
    assert "the bytes are none of" in await refusal(loader, file_format, b"")


async def test_bytes_that_are_not_those_of_the_digest_are_refused_before_decoding(
    loader: ThreadedMediaLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader_module, "decode_image", lambda *_: pytest.fail("decoded"))
    digest = hashlib.sha256(b"other bytes").digest()
    source = InlineSource(sample_file(FileFormat.PNG), sha256=digest)
    with pytest.raises(InvalidRequestError) as caught:
        await loader.load(part_of(FileFormat.PNG, source))
    assert caught.value.violations == [
        (f"{FIELD}.source.sha256", "is not the SHA-256 of the bytes")
    ]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ValueError("first line\nsecond line"), "first line"),
        (OSError(5, "bad tile", "name"), "bad tile"),
        (EOFError(), "EOFError"),
        (ValueError(" \n"), "ValueError"),
        (MemoryError(), "MemoryError"),
        (KeyError("exif"), "'exif'"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_whatever_a_decoder_raises_is_told_in_a_line(
    loader: ThreadedMediaLoader, monkeypatch: pytest.MonkeyPatch, raised: Exception, told: str
) -> None:
    """Also what has no text of its own."""

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(loader_module, "decode_image", fail)
    problem = await refusal(loader, FileFormat.PNG, sample_file(FileFormat.PNG))
    assert problem == f"the PNG file cannot be decoded: {told}"


async def test_limits_are_those_of_the_server() -> None:
    limits = MediaLimits(image_pixels=10)
    loader = ThreadedMediaLoader(threads=1, audio_rate_hz=AUDIO_RATE_HZ, limits=limits)
    with pytest.raises(LimitExceededError, match="image_pixels is 10"):
        await loader.load(image_part(sample_file(FileFormat.PNG)))
    loader.close()
