"""Data URIs are read strictly, and in pieces that never hold all of a large one twice."""

from __future__ import annotations

import base64
import random
import tracemalloc

import pytest

from service.errors import InvalidRequestError
from service.media.sources.data_uri import parse_data_uri

FIELD = "conversation.messages[0].parts[1].image"


def decoded(uri: str) -> tuple[str | None, bytes]:
    parsed = parse_data_uri(FIELD, uri)
    content = b"".join(parsed.pieces())
    assert parsed.size_bytes == len(content)
    return parsed.mime_type, content


@pytest.mark.parametrize(
    ("uri", "mime_type", "content"),
    [
        ("data:image/png;base64,aGVsbG8=", "image/png", b"hello"),
        ("DATA:Image/PNG;BASE64,aGVsbG8=", "Image/PNG", b"hello"),
        ("data:;base64,aGVsbG8=", None, b"hello"),
        ("data:audio/wav;codecs=1;rate=8000;base64,aGVsbA==", "audio/wav", b"hell"),
        ("data:image/svg+xml;base64,aGVs", "image/svg+xml", b"hel"),
        ("data:image/png;base64,", "image/png", b""),
        ("data:image/png;base64,aGVsbG8%3D", "image/png", b"hello"),
        ("data:image/png;base64,aGVsbA%3d%3D", "image/png", b"hell"),
        ("data:image/png;base64,aGVsbA=%3D", "image/png", b"hell"),
        ("data:image/png;base64,%61GVsbG8=", "image/png", b"hello"),
        ("data:image/png;base64,%2B%2F+/", "image/png", b"\xfb\xff\xbf"),
    ],
)
def test_a_data_uri_is_its_claim_and_its_content(
    uri: str, mime_type: str | None, content: bytes
) -> None:
    assert decoded(uri) == (mime_type, content)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "data:",
        "data:image/png;base64",
        "data:image/png,hello",
        "data:image/png;base64;x,aGVs",
        "data:image/png; base64,aGVs",
        "data:image;base64,aGVs",
        "data:image/png base64,aGVs",
        "data:image/pn\ng;base64,aGVs",
        " data:image/png;base64,aGVs",
        "http://a.example/;base64,aGVs",
        "data:image/png;" + "x=y;" * 1000 + "base64,aGVs",
    ],
)
def test_what_begins_otherwise_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRequestError, match="must begin like") as caught:
        parse_data_uri(FIELD, uri)
    assert caught.value.violations[0][0] == f"{FIELD}.source.data_uri"


@pytest.mark.parametrize(
    "content",
    [
        "aGVsbG8",  # no padding
        "aGVsbG8==",  # too much
        "aGVsbG8=aGVs",  # in the middle
        "aGVsbG8=\n",
        "aGVs bG8=",
        "=",
        "====",
        "a",
        "aGVs%",
        "aGVs%2",
        "aGVs%zz",
        "aGVs%20",
        "aGVs%00aGV",
        "-_-_",  # the URL-safe alphabet
        "aGVs\u00e4aaa",
        "aGVs\u212aaaa",
        "\x00aGV",
    ],
)
def test_content_that_is_no_base64_is_refused(content: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        list(parse_data_uri(FIELD, f"data:image/png;base64,{content}").pieces())
    assert caught.value.violations[0][0] == f"{FIELD}.source.data_uri"


@pytest.mark.parametrize("size_bytes", [49_151, 49_152, 49_153, 300_000])
@pytest.mark.parametrize("escaped", ["", "=", "+/=", "all"])
def test_pieces_meet_wherever_they_are_cut(size_bytes: int, escaped: str) -> None:
    content = random.Random(size_bytes).randbytes(size_bytes)
    text = base64.b64encode(content).decode()
    if escaped == "all":
        text = "".join(f"%{ord(character):02x}" for character in text)
    for character in escaped if escaped != "all" else "":
        text = text.replace(character, f"%{ord(character):02X}")
    assert decoded(f"data:image/png;base64,{text}") == ("image/png", content)


def test_padding_at_a_piece_s_end_is_not_passed_over() -> None:
    """64 Ki characters are decoded at once."""
    padded = "A" * ((64 << 10) - 4) + "AAA="
    with pytest.raises(InvalidRequestError):
        list(parse_data_uri(FIELD, f"data:image/png;base64,{padded}AAAA").pieces())


def test_escapes_do_not_take_memory() -> None:
    """Python's own way makes a list of them all: some 60 bytes for each."""
    uri = "data:image/png;base64," + "%41" * 2_000_000
    tracemalloc.start()
    size_bytes = sum(map(len, parse_data_uri(FIELD, uri).pieces()))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size_bytes == 1_500_000
    assert peak_bytes < 16 << 20
