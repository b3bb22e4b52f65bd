"""Uploads, questions and descriptions, by both clients, against a scripted server."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.unit.client.fake_server import Failure
from triptych.v1 import media_service_pb2
from triptych_client import (
    Audio,
    Image,
    InvalidRequestError,
    MediaDescription,
    MediaSourceUnsupportedError,
    Modality,
    Video,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.client.both_clients import Ask
    from tests.unit.client.fake_server import FakeServer

MIB = 1 << 20
LARGE = bytes(range(256)) * (10 * MIB // 1024)


def test_an_upload_gives_the_id_for_parts(server: FakeServer, ask: Ask, tmp_path: Path) -> None:
    """The header declares what comes."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photo")
    media_id = ask("upload", photo, mime_type="image/jpeg")

    assert server.stored == {media_id: b"a photo"}
    ((header, *_),) = server.uploads
    assert header.header == media_service_pb2.UploadHeader(
        mime_type="image/jpeg", size_bytes=7, sha256=hashlib.sha256(b"a photo").digest()
    )


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_uploaded_as_files_are(server: FakeServer, ask: Ask, kind: type) -> None:
    """In chunks of at most 1 MiB, none of them empty; no type is claimed."""
    media_id = ask("upload", kind(LARGE))

    assert server.stored[media_id] == LARGE
    ((header, *chunks),) = server.uploads
    assert header.header.mime_type == ""
    assert [len(message.chunk) for message in chunks] == [MIB, MIB, MIB // 2]


def test_nothing_is_sent_twice(server: FakeServer, ask: Ask, tmp_path: Path) -> None:
    """The server is asked first, whatever the bytes come from."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(LARGE)
    first = ask("upload", LARGE)

    assert ask("upload", str(photo)) == first
    assert len(server.uploads) == 1


def test_a_deleted_medium_is_sent_again(server: FakeServer, ask: Ask) -> None:
    """The server forgets it; deleting twice is no error."""
    media_id = ask("upload", b"sound")
    ask("delete_media", media_id)
    ask("delete_media", media_id)
    assert server.stored == {}

    assert ask("upload", b"sound") == media_id
    assert len(server.uploads) == 2


def test_a_missing_file_is_told_before_anything_is_sent(ask: Ask, tmp_path: Path) -> None:
    """As by every other method."""
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        ask("upload", tmp_path / "nothing.png")
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        ask("probe", Image(tmp_path / "nothing.png"))


@pytest.mark.parametrize(
    ("method", "argument"),
    [("upload", LARGE), ("delete_media", "m"), ("probe", Image(data=b"x"))],
)
def test_failures_become_exceptions(
    server: FakeServer, ask: Ask, method: str, argument: object
) -> None:
    """Also those that come while the client still sends."""
    server.script = [
        Failure(
            grpc.StatusCode.FAILED_PRECONDITION, "start it with a store", "MEDIA_SOURCE_UNSUPPORTED"
        )
    ]
    with pytest.raises(MediaSourceUnsupportedError, match="start it with a store"):
        ask(method, argument)


def test_a_refused_upload_names_the_field(server: FakeServer, ask: Ask) -> None:
    """As the contract spells it."""
    problem = ("header.mime_type", "says 'image/png', but the bytes are WAV")
    server.script = [
        Failure(grpc.StatusCode.INVALID_ARGUMENT, "no", "INVALID_FIELD", None, [problem])
    ]
    with pytest.raises(InvalidRequestError) as caught:
        ask("upload", b"RIFF", mime_type="image/png")

    assert caught.value.field == "header.mime_type"


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (
            Image(data=b"x", max_pixels=9),
            media_service_pb2.ProbeMediaRequest(image={"source": {"data": b"x"}, "max_pixels": 9}),
        ),
        (
            Audio(url="https://a/b.wav", end_s=1.0),
            media_service_pb2.ProbeMediaRequest(
                audio={"source": {"url": "https://a/b.wav"}, "end_s": 1.0}
            ),
        ),
        (
            Video(media_id="m", num_frames=4),
            media_service_pb2.ProbeMediaRequest(
                video={"source": {"media_id": "m"}, "num_frames": 4}
            ),
        ),
    ],
)
def test_a_probe_describes_any_part(
    server: FakeServer,
    ask: Ask,
    part: Image | Audio | Video,
    sent: media_service_pb2.ProbeMediaRequest,
) -> None:
    """With its source and its options."""
    assert ask("probe", part) == MediaDescription(
        modality=Modality.VIDEO,
        mime_type="video/mp4",
        size_bytes=7,
        width=640,
        height=480,
        duration_s=2.5,
        frames=75,
        sampled_frames=4,
        channels=2,
        sample_rate_hz=44_100,
        tokens=9,
    )
    assert server.probes == [sent]
