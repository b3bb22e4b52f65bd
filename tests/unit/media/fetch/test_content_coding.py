"""Compressed bodies come out whole, in small pieces, however they come in."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from service.media.fetch.content_coding import PIECE_BYTES, CodingError, decoder_for

CONTENT = random.Random(1).randbytes(300_000) + bytes(3_000_000) + b"the end"
SHORT = b"not much"


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


CODINGS = {
    "identity": ("", lambda content: content),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": (" X-GZip ", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "without zlib's header": ("deflate", raw_deflate),
    "members": ("gzip", lambda c: gzip.compress(c[:5]) + gzip.compress(b"") + gzip.compress(c[5:])),
}


def decode(encoding: str, body: bytes, chunk_bytes: int) -> bytes:
    decoder = decoder_for(encoding)
    assert decoder is not None
    pieces = [
        piece
        for start in range(0, len(body), chunk_bytes)
        for piece in decoder.pieces(body[start : start + chunk_bytes])
    ]
    decoder.finish()
    if encoding:
        assert max(map(len, pieces)) <= PIECE_BYTES
    return b"".join(pieces)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("chunk_bytes", [1, 7, 65536, 10**9])
def test_content_comes_out_whole(coding: str, chunk_bytes: int) -> None:
    encoding, encode = CODINGS[coding]
    content = SHORT if chunk_bytes < 100 else CONTENT
    assert decode(encoding, encode(content), chunk_bytes) == content


@pytest.mark.parametrize("coding", ["gzip", "zlib", "without zlib's header"])
@pytest.mark.parametrize("left_bytes", [0, 1, 5, -1])
def test_a_body_that_is_cut_is_no_content(coding: str, left_bytes: int) -> None:
    encoding, encode = CODINGS[coding]
    with pytest.raises(CodingError):
        decode(encoding, encode(SHORT)[:left_bytes], 3)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", zlib.compress(SHORT)),
        ("gzip", gzip.compress(SHORT) + b"more"),
        ("gzip", gzip.compress(SHORT)[:-8] + bytes(8)),
        ("deflate", zlib.compress(SHORT) + b"more"),
        ("deflate", gzip.compress(SHORT)),
        ("deflate", zlib.compress(SHORT)[:-4] + bytes(4)),
    ],
)
def test_a_body_that_is_something_else_is_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(CodingError):
        decode(encoding, body, 1000)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip,gzip", "gzip, identity", "*"])
def test_other_codings_have_no_decoder(encoding: str) -> None:
    assert decoder_for(encoding) is None
