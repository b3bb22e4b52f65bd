"""Decoding, whole and in streams, gives exactly the text of Hugging Face `tokenizers`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import grpc
import pytest

from tests.unit.tokenizer.hard_texts import random_texts
from tests.unit.tokenizer.reference_stream import step_texts
from tests.unit.tokenizer.running_sidecar import Sidecar
from tests.unit.tokenizer.trained_tokenizers import CORPUS
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb


def stream(
    sidecar: Sidecar, requests: list[list[pb.StreamOperation]]
) -> Iterator[list[pb.StreamResult]]:
    """Run requests on one StreamDecode call; yield the results of each."""
    messages = (pb.StreamDecodeRequest(operations=operations) for operations in requests)
    for response in sidecar.stub.StreamDecode(messages):
        yield list(response.results)


def opened(
    stream_id: int, *, skip: bool = False, context: Sequence[int] = ()
) -> pb.StreamOperation:
    """Make an open operation."""
    options = pb.OpenStream(skip_special_tokens=skip, context_token_ids=context)
    return pb.StreamOperation(stream_id=stream_id, open=options)


def appended(stream_id: int, ids: list[int]) -> pb.StreamOperation:
    """Make an append operation."""
    return pb.StreamOperation(stream_id=stream_id, append=pb.AppendTokens(token_ids=ids))


def closed(stream_id: int) -> pb.StreamOperation:
    """Make a close operation."""
    return pb.StreamOperation(stream_id=stream_id, close=pb.CloseStream())


def random_ids(sidecar: Sidecar, count: int) -> list[int]:
    """Return ids in any order: mostly broken UTF-8."""
    random_ = random.Random(7)
    return [random_.randrange(sidecar.reference.get_vocab_size()) for _ in range(count)]


@pytest.mark.parametrize("skip", [False, True])
def test_whole_decode(trained: Sidecar, *, skip: bool) -> None:
    """Any ids, sensible or not, decode to the same text."""
    lists = [trained.reference.encode(text).ids for text in random_texts(500, ["<|end|>", "café"])]
    lists += [random_ids(trained, 3000)[i : i + 10] for i in range(0, 3000, 10)]

    for ids in lists:
        actual = trained.stub.Decode(pb.DecodeRequest(token_ids=ids, skip_special_tokens=skip)).text
        assert trained.reference.decode(ids, skip_special_tokens=skip) == actual, ids


def test_every_split_of_a_stream(trained: Sidecar) -> None:
    """However ids are cut into two calls, the pieces joined are those of the ids one by one."""
    texts = ["你好👨‍👩‍👧é", CORPUS[3], "a<|end|>b"]
    lists = [*(trained.reference.encode(text).ids for text in texts), random_ids(trained, 120)]
    requests, expected = [], []
    for ids in lists:
        for cut in range(len(ids) + 1):
            requests.append([opened(1), appended(1, ids[:cut]), appended(1, ids[cut:]), closed(1)])
            expected.append("".join(step_texts(trained.reference, ids, skip=False)))

    actual = ["".join(r.text for r in results) for results in stream(trained, requests)]

    assert expected == actual


def test_token_by_token(trained: Sidecar) -> None:
    """A stream of single ids gives, id for id, what the stream of Hugging Face gives."""
    for ids in (trained.reference.encode(" ".join(CORPUS)).ids, random_ids(trained, 2000)):
        requests = [[opened(1)], *([appended(1, [i])] for i in ids), [closed(1)]]

        actual = [results[0].text for results in stream(trained, requests)]

        assert ["", *step_texts(trained.reference, ids, skip=False), ""] == actual


def test_an_unfinished_character_is_no_text(trained: Sidecar) -> None:
    """Half a character is held back, and left out at the end."""
    bytes_of_smile = trained.reference.encode("\U0001f92f", add_special_tokens=False).ids
    assert len(bytes_of_smile) > 1

    results = next(stream(trained, [[opened(9), appended(9, bytes_of_smile[:-1]), closed(9)]]))

    assert ["", "", ""] == [result.text.strip() for result in results]


def test_ids_that_are_no_tokens_are_no_text(trained: Sidecar) -> None:
    """A model may have more ids than its tokenizer."""
    a = trained.reference.encode("a", add_special_tokens=False).ids
    operations = [opened(1), appended(1, [77_777, *a, 4_000_000_000]), closed(1)]

    results = next(stream(trained, [operations]))

    assert trained.reference.decode(a) == results[1].text
    assert not any(result.HasField("failure") for result in results)


def test_a_failed_operation_fails_alone(trained: Sidecar) -> None:
    """Unknown streams and operations fail by themselves; the others go on."""
    a = trained.reference.encode("a", add_special_tokens=False).ids
    operations = [
        opened(1),
        opened(1),
        appended(2, a),
        pb.StreamOperation(stream_id=1),
        appended(1, a),
        closed(1),
        closed(1),
    ]

    results = next(stream(trained, [operations]))

    codes = [result.failure.code for result in results]
    assert [0, 6, 5, 3, 0, 0, 5] == codes
    assert "stream_id: the stream 2 is not open" == results[2].failure.message
    assert trained.reference.decode(a) == results[4].text


def test_an_empty_message_is_answered(trained: Sidecar) -> None:
    """A request without operations has a response without results."""
    assert [[], []] == list(stream(trained, [[], []]))


def test_unknown_ids(trained: Sidecar) -> None:
    """An id that is not a token is INVALID_ARGUMENT that tells the place and the id."""
    with pytest.raises(grpc.RpcError) as caught:
        trained.stub.Decode(pb.DecodeRequest(token_ids=[1, 77_777]))

    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
    assert "token_ids[1]: 77777 is not the id of a token" in caught.value.details()
