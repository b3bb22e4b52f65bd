"""The sidecar gives exactly the ids of Hugging Face `tokenizers`."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from tests.unit.tokenizer.hard_texts import PIECES, every_code_point, random_texts
from tests.unit.tokenizer.running_sidecar import Sidecar
from tests.unit.tokenizer.trained_tokenizers import CORPUS
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

ADDED = ("<|begin|>", "<|end|>", "<word>", "<left>", "<right>", "<rightmost>", "café", "cafe\u0301")


def test_chosen_texts(trained: Sidecar) -> None:
    """Prose, code, scripts, emoji, white space, digits and control characters have the same ids."""
    trained.assert_agrees([*CORPUS, *PIECES, ""])


def test_random_texts(trained: Sidecar) -> None:
    """Thousands of random texts, with added tokens inside, have the same ids."""
    texts = random_texts(4000, ADDED)

    trained.assert_agrees(texts)
    trained.assert_agrees(texts[:200], add_special_tokens=True)


def test_every_code_point(
    trained_path: Callable[[str], Path], start_sidecar: Callable[[Path], Sidecar]
) -> None:
    """Every code point is normalized and classified as Hugging Face does it."""
    start_sidecar(trained_path("qwen2")).assert_agrees(list(every_code_point()))


def test_long_runs_are_not_quadratic(trained: Sidecar) -> None:
    """Long runs of one letter, and of spaces, are encoded at once."""
    random_ = random.Random(3)
    letters = "".join(random_.choice("abcdefghij") for _ in range(50_000))

    trained.assert_agrees(["a" * 50_000, " " * 50_000, "\n" * 50_000, letters, "1" * 50_000])


def test_ten_megabytes(trained: Sidecar) -> None:
    """A text of 10 MB is no problem."""
    text = CORPUS[0] * (10_000_000 // len(CORPUS[0]))

    response = trained.stub.Encode(pb.EncodeRequest(text=text.encode()))

    decoded = trained.stub.Decode(pb.DecodeRequest(token_ids=response.token_ids)).text
    assert decoded.endswith(text)  # one style puts a space in front


def test_token_spans_are_the_bytes_of_the_tokens(trained: Sidecar) -> None:
    """Without a normalizer's or prefix's doing, a token's span is exactly its bytes."""
    text = "The café <|end|> doesn't 你好 12345".encode()

    response = trained.stub.Encode(pb.EncodeRequest(text=text, include_token_spans=True))

    spans = [(span.begin, span.end) for span in response.token_spans]
    assert len(response.token_ids) == len(spans)
    assert text == b"".join(text[begin:end] for begin, end in spans)


@pytest.mark.parametrize(
    ("text", "spans", "message"),
    [
        (b"ab\xff", [], "text: not valid UTF-8 at byte 2"),
        (b"a", [(0, 2)], "literal_spans[0]: [0, 2) reaches past the text, which has 1 bytes"),
        ("é".encode(), [(0, 1)], "literal_spans[0]: [0, 1) cuts a UTF-8 character in two"),
        (
            b"ab",
            [(1, 2), (0, 1)],
            "literal_spans[1]: [0, 1) begins before the span in front of it ends",
        ),
        (b"ab", [(2, 1)], "literal_spans[0]: [2, 1) ends before it begins"),
    ],
)
def test_bad_requests_name_the_field(
    trained: Sidecar, text: bytes, spans: list[tuple[int, int]], message: str
) -> None:
    """A malformed request is INVALID_ARGUMENT with the field and the value."""
    literal = [pb.ByteSpan(begin=begin, end=end) for begin, end in spans]
    request = pb.EncodeRequest(text=text, literal_spans=literal)

    with pytest.raises(grpc.RpcError) as caught:
        trained.stub.Encode(request)
    with pytest.raises(grpc.RpcError) as caught_batch:
        trained.stub.EncodeBatch(pb.EncodeBatchRequest(requests=[pb.EncodeRequest(), request]))

    assert (grpc.StatusCode.INVALID_ARGUMENT, message) == (
        caught.value.code(),
        caught.value.details(),
    )
    assert f"requests[1].{message}" == caught_batch.value.details()


def test_literal_spans_on_a_normalized_text(
    trained_path: Callable[[str], Path], start_sidecar: Callable[[Path], Sidecar]
) -> None:
    """Spans keep their place when the normalizer changes the text before them."""
    sidecar = start_sidecar(trained_path("qwen2"))
    text = "e\u0301 cafe\u0301 cafe\u0301".encode()
    second = pb.ByteSpan(begin=text.rindex(b"cafe"), end=len(text))
    cafe = sidecar.reference.token_to_id("café")

    both = sidecar.stub.Encode(pb.EncodeRequest(text=text)).token_ids
    one = sidecar.stub.Encode(pb.EncodeRequest(text=text, literal_spans=[second])).token_ids

    assert (2, 1) == (list(both).count(cafe), list(one).count(cafe))
