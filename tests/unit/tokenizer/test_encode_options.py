"""What a request can ask for besides ids: pairs, type ids, sources, clean spaces."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tests.unit.tokenizer.running_sidecar import Sidecar
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

TEXTS = ("", "hello", "naïve <|end|> text", "  two  spaces ", "你好")


def template(first_id: int) -> dict[str, Any]:
    """Return a post-processor like BERT's."""
    special = {
        name: {"id": name, "ids": [first_id + i], "tokens": [name]}
        for i, name in enumerate(("[A]", "[B]"))
    }

    def token(name: str, type_id: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": type_id}}

    def sequence(name: str, type_id: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": type_id}}

    return {
        "type": "TemplateProcessing",
        "single": [token("[A]", 0), sequence("A", 0), token("[B]", 0)],
        "pair": [
            token("[A]", 0),
            sequence("A", 0),
            token("[B]", 0),
            sequence("B", 1),
            token("[B]", 1),
        ],
        "special_tokens": special,
    }


@pytest.fixture
def paired(variant: Callable[..., Sidecar], gpt2_vocab: dict[str, int]) -> Sidecar:
    """A sidecar whose post-processor puts texts together as BERT's does."""
    return variant(post_processor=template(len(gpt2_vocab) - 2))


@pytest.mark.parametrize("add_special_tokens", [False, True])
def test_pairs_are_those_of_hugging_face(paired: Sidecar, add_special_tokens: bool) -> None:
    """Ids, type ids and the text of each token, for all pairs of texts."""
    for first, second in itertools.product(TEXTS, TEXTS):
        expected = paired.reference.encode(first, second, add_special_tokens=add_special_tokens)
        response = paired.stub.Encode(
            pb.EncodeRequest(
                text=first.encode(),
                pair=second.encode(),
                add_special_tokens=add_special_tokens,
                include_type_ids=True,
                include_token_spans=True,
            )
        )

        assert expected.ids == list(response.token_ids)
        assert expected.type_ids == list(response.type_ids)
        sources = {None: pb.TOKEN_SOURCE_ADDED, 0: pb.TOKEN_SOURCE_TEXT, 1: pb.TOKEN_SOURCE_PAIR}
        assert [sources[i] for i in expected.sequence_ids] == list(response.sources)
        assert len(response.token_ids) == len(response.token_spans)


def test_type_ids_of_one_text(paired: Sidecar) -> None:
    """As many as ids, and only when asked for."""
    request = pb.EncodeRequest(text=b"hello", add_special_tokens=True, include_type_ids=True)
    expected = paired.reference.encode("hello")

    assert expected.type_ids == list(paired.stub.Encode(request).type_ids)
    request.include_type_ids = False
    assert [] == list(paired.stub.Encode(request).type_ids)
    assert [] == list(paired.stub.Encode(request).sources)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            pb.EncodeRequest(pair_literal_spans=[pb.ByteSpan()]),
            "pair_literal_spans[0]: there is no pair; set it, or leave its spans out",
        ),
        (
            pb.EncodeRequest(pair=b"a", pair_literal_spans=[pb.ByteSpan(begin=2)]),
            "pair_literal_spans[0]: [2, 0) ends before it begins",
        ),
        (pb.EncodeRequest(pair=b"ab\xff"), "pair: not valid UTF-8 at byte 2"),
    ],
)
def test_bad_pairs(paired: Sidecar, request_: pb.EncodeRequest, message: str) -> None:
    """The message names the field of the pair, not that of the text."""
    with pytest.raises(grpc.RpcError) as caught:
        paired.stub.Encode(request_)

    assert (grpc.StatusCode.INVALID_ARGUMENT, message) == (
        caught.value.code(),
        caught.value.details(),
    )


def test_literal_spans_of_a_pair(paired: Sidecar) -> None:
    """They lie in the pair, and only there."""
    text = paired.reference.get_added_tokens_decoder()
    special = next(iter(text.values())).content.encode()
    request = pb.EncodeRequest(text=special, pair=special)
    free = list(paired.stub.Encode(request).token_ids)
    request.pair_literal_spans.add(begin=0, end=len(special))

    bound = list(paired.stub.Encode(request).token_ids)

    assert free[0] == free[1] == bound[0]
    assert free[1] not in bound[1:]


def test_clean_spaces(variant: Callable[..., Sidecar]) -> None:
    """On request the spaces that `transformers` takes out are out, in one piece and in a stream."""
    sidecar = variant()
    text = "Hello , world ! I do n't know ; we 're here . It 's ? 'm"
    clean = "Hello, world! I don't know ; we're here. It's?'m"
    ids = sidecar.encode([text])[0]

    assert text == sidecar.stub.Decode(pb.DecodeRequest(token_ids=ids)).text
    request = pb.DecodeRequest(token_ids=ids, clean_up_spaces=True)
    assert clean == sidecar.stub.Decode(request).text
    opening = pb.StreamOperation(open=pb.OpenStream(clean_up_spaces=True))
    appends = [pb.StreamOperation(append=pb.AppendTokens(token_ids=[i])) for i in ids]
    closing = pb.StreamOperation(close=pb.CloseStream())
    turn = pb.StreamDecodeRequest(operations=[opening, *appends, closing])
    (response,) = sidecar.stub.StreamDecode(iter([turn]))
    assert clean == "".join(result.text for result in response.results)


def test_stops_in_single_operations(variant: Callable[..., Sidecar]) -> None:
    """The result of an operation tells the stop, as the columns do."""
    sidecar = variant()
    ids = sidecar.encode(["a stop b"])[0]
    operations = [
        pb.StreamOperation(open=pb.OpenStream(stop_strings=["never", "stop"])),
        pb.StreamOperation(append=pb.AppendTokens(token_ids=ids)),
        pb.StreamOperation(append=pb.AppendTokens(token_ids=ids)),
        pb.StreamOperation(close=pb.CloseStream()),
    ]
    (response,) = sidecar.stub.StreamDecode(iter([pb.StreamDecodeRequest(operations=operations)]))
    opened, first, second, closed = response.results

    assert not opened.HasField("stop")
    assert ("a ", 1) == (first.text, first.stop.stop_index)
    assert 0 < first.stop.tokens_used < len(ids)
    assert ("", pb.StreamStop(stop_index=1)) == (second.text, second.stop)
    assert ("", 1) == (closed.text, closed.stop.stop_index)


def test_settings_of_the_file_are_told(variant: Callable[..., Sidecar]) -> None:
    """Truncation and padding are told as the file has them, and not applied."""
    truncation = {
        "direction": "Left",
        "max_length": 3,
        "strategy": "OnlySecond",
        "stride": 1,
    }
    padding = {
        "strategy": {"Fixed": 9},
        "direction": "Left",
        "pad_to_multiple_of": None,
        "pad_id": 5,
        "pad_type_id": 1,
        "pad_token": "<pad>",
    }
    sidecar = variant(truncation=truncation, padding=padding)

    info = sidecar.stub.GetInfo(pb.GetInfoRequest())

    assert info.truncation == pb.Truncation(
        direction=pb.SIDE_LEFT,
        max_length=3,
        strategy=pb.Truncation.STRATEGY_ONLY_SECOND,
        stride=1,
    )
    assert info.padding == pb.Padding(
        fixed_length=9,
        direction=pb.SIDE_LEFT,
        pad_id=5,
        pad_type_id=1,
        pad_token=padding["pad_token"],
    )
    assert not info.HasField("clean_up_tokenization_spaces")
    assert 3 < len(sidecar.encode(["a b c d e f"])[0])


def test_no_settings(variant: Callable[..., Sidecar]) -> None:
    """What the file does not have is not set."""
    info = variant(truncation=None, padding=None).stub.GetInfo(pb.GetInfoRequest())

    assert not info.HasField("truncation")
    assert not info.HasField("padding")
