"""The sidecar as a server of its own: limits, columns, streams of texts, reflection, TCP, drain.

What it says about token ids and texts is tested beside this file; here it is how it says it.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import Queue

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from tests.load.sidecar_load import drive
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture(scope="session")
def launch(
    binary: Path, trained_path: Callable[[str], Path]
) -> Callable[..., AbstractContextManager[tuple[str, subprocess.Popen[str]]]]:
    """Run a sidecar on a free TCP port with some flags; give its address and its process."""

    @contextmanager
    def run(*flags: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
        arguments = [f"--model={trained_path('gpt2').parent}", "--listen=127.0.0.1:0", *flags]
        process = subprocess.Popen([binary, *arguments], stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            yield process.stderr.readline().split()[-1], process
        finally:
            process.terminate()
            process.wait()
            process.stderr.close()

    return run


@contextmanager
def connect(address: str) -> Iterator[tuple[pb_grpc.TokenizerServiceStub, grpc.Channel]]:
    """Open a channel."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(address, options=options) as channel:
        yield pb_grpc.TokenizerServiceStub(channel), channel


@pytest.fixture(scope="module")
def small(launch) -> Iterator[tuple[pb_grpc.TokenizerServiceStub, grpc.Channel]]:
    """A sidecar with small limits."""
    flags = ("--max-text-bytes=8", "--max-batch=2", "--max-message-bytes=8192", "--max-streams=2")
    with launch(*flags, "--max-calls=3", "--threads=1") as (address, _), connect(address) as stub:
        yield stub


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """Return with what a call fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def ask(rpc, *requests):
    """Send messages on a streaming call; return the answers."""
    return list(rpc(iter(requests)))


def failures(response: pb.StreamDecodeResponse) -> list[tuple[int, int, str]]:
    """Return the failures of the columns."""
    return [(f.index, f.failure.code, f.failure.message) for f in response.texts.failures]


def test_limits_of_texts(small) -> None:
    """A limit tells the field, the value, the limit and the cure."""
    stub, _ = small

    assert (
        INVALID,
        "text: 9 bytes are more than the 8 that --max-text-bytes allows; cut the text",
    ) == refused(lambda: stub.Encode(pb.EncodeRequest(text=b"123456789")))
    assert (
        INVALID,
        "requests: 3 texts are more than the 2 that --max-batch allows; send several messages",
    ) == refused(lambda: stub.EncodeBatch(pb.EncodeBatchRequest(requests=[pb.EncodeRequest()] * 3)))
    message = pb.StreamEncodeRequest(requests=[pb.EncodeRequest()] * 3)
    assert INVALID == refused(lambda: ask(stub.StreamEncode, message))[0]
    code, details = refused(lambda: stub.Encode(pb.EncodeRequest(text=b"1" * 9000)))
    assert EXHAUSTED == code
    assert "larger than max (9003 vs. 8192)" in details


def test_invalid_utf8_tells_the_byte(small) -> None:
    """The place is counted in bytes, and a batch tells which text."""
    stub, _ = small
    bad = pb.EncodeRequest(text=b"a\xc3\xa9\xff")

    assert (INVALID, "text: not valid UTF-8 at byte 3") == refused(lambda: stub.Encode(bad))
    batch = pb.EncodeBatchRequest(requests=[pb.EncodeRequest(), bad])
    assert (INVALID, "requests[1].text: not valid UTF-8 at byte 3") == refused(
        lambda: stub.EncodeBatch(batch)
    )


def test_a_text_that_fails_on_a_stream_fails_alone(small) -> None:
    """The texts beside it, and the call, go on."""
    stub, _ = small
    good, bad = pb.EncodeRequest(text=b"word"), pb.EncodeRequest(text=b"\xff")
    turn = pb.StreamEncodeRequest(requests=[bad, good])

    first, empty, second = ask(stub.StreamEncode, turn, pb.StreamEncodeRequest(), turn)

    assert first == second
    assert [] == list(empty.results)
    assert (3, "text: not valid UTF-8 at byte 0") == (
        first.results[0].failure.code,
        first.results[0].failure.message,
    )
    assert not first.results[0].HasField("response")
    assert stub.Encode(good) == first.results[1].response
    assert not first.results[1].HasField("failure")


def test_too_many_streams(small) -> None:
    """The limit is over all calls, and a stream that is closed makes room."""
    stub, _ = small
    opens = [pb.StreamOperation(stream_id=i, open=pb.OpenStream()) for i in range(3)]
    turn = pb.StreamDecodeRequest(operations=opens, closes=[0])
    again = pb.StreamDecodeRequest(operations=opens[2:])

    first, second = ask(stub.StreamDecode, turn, again)

    assert [False, False, True] == [result.HasField("failure") for result in first.results]
    assert 8 == first.results[2].failure.code
    assert "2 streams are open" in first.results[2].failure.message
    assert not second.results[0].HasField("failure")
    assert first == ask(stub.StreamDecode, turn)[0]


def test_too_many_calls(small) -> None:
    """A call over the limit is refused; the others are not disturbed."""
    stub, _ = small
    queues: list[Queue] = [Queue() for _ in range(32)]
    calls = [stub.StreamDecode(iter(queue.get, None)) for queue in queues]
    for queue in queues:
        queue.put(pb.StreamDecodeRequest())
    with ThreadPoolExecutor(len(calls)) as pool:
        outcomes = list(pool.map(_first_answer, calls))
    for queue in queues:
        queue.put(None)

    assert {EXHAUSTED, "answered"} == set(outcomes)
    assert 3 <= outcomes.count("answered")


def _first_answer(call) -> object:
    try:
        next(call)
    except grpc.RpcError as error:
        return error.code()
    return "answered"


def test_columns_are_the_operations(launch) -> None:
    """Appends and closes in columns give the texts and failures of the same operations."""
    with launch() as (address, _), connect(address) as (stub, _):
        euro = list(stub.Encode(pb.EncodeRequest(text="€ word".encode())).token_ids)
        opens = [pb.StreamOperation(stream_id=i, open=pb.OpenStream()) for i in (1, 2)]
        appends = pb.AppendColumns(
            stream_ids=[1, 7, 2, 1, 2],
            token_counts=[1, 1, 2, len(euro) - 1, 0],
            token_ids=[euro[0], 5, *euro[:1], 4_000_000_000, *euro[1:]],  # stream 2: half a €
        )
        turn = pb.StreamDecodeRequest(operations=opens, appends=appends, closes=[2, 1, 1])

        response, nothing = ask(stub.StreamDecode, turn, pb.StreamDecodeRequest())

        assert ["", "", "", "€ word", "", "", "", ""] == response.texts.pieces
        assert not nothing.HasField("texts")
        assert [(1, 5), (7, 5)] == [(index, code) for index, code, _ in failures(response)]
        assert "stream_id: the stream 7 is not open" == failures(response)[0][2]


def test_without_counts_each_append_has_one_id(small) -> None:
    """Nearly all have; then only streams and ids travel."""
    stub, _ = small
    ids = stub.Encode(pb.EncodeRequest(text=b"ab")).token_ids
    opens = [pb.StreamOperation(stream_id=i, open=pb.OpenStream()) for i in (1, 2)]
    appends = pb.AppendColumns(stream_ids=[2, 1], token_ids=ids)

    (response,) = ask(
        stub.StreamDecode, pb.StreamDecodeRequest(operations=opens, appends=appends, closes=[1, 2])
    )

    assert ["a", "b", "", ""] == response.texts.pieces


@pytest.mark.parametrize(
    ("appends", "message"),
    [
        (
            pb.AppendColumns(stream_ids=[1]),
            (
                "appends.token_counts: 0 counts for 1 streams; give one for each, "
                "or none where each append has one id"
            ),
        ),
        (
            pb.AppendColumns(stream_ids=[1], token_counts=[4_000_000_000], token_ids=[1]),
            "appends.token_ids: 1 ids, but the counts add up to 4000000000",
        ),
    ],
)
def test_columns_that_do_not_fit_end_the_call(small, appends, message: str) -> None:
    """Nobody could tell whose ids they are."""
    stub, _ = small

    request = pb.StreamDecodeRequest(appends=appends)

    assert (INVALID, message) == refused(lambda: ask(stub.StreamDecode, request))


def test_health_and_reflection(small) -> None:
    """A shell finds out what is served, and that it is."""
    _, channel = small
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    database = ProtoReflectionDescriptorDatabase(channel)

    assert health_pb2.HealthCheckResponse.SERVING == health.status
    assert "triptych.sidecar.v1.TokenizerService" in database.get_services()
    assert database.FindFileContainingSymbol("triptych.sidecar.v1.EncodeRequest")


def test_a_drain_ends_idle_calls_and_lets_streams_finish(launch) -> None:
    """After SIGTERM an open token stream may go on; a call that waits for nothing ends."""
    with launch() as (address, process), connect(address) as (stub, _):
        idle: Queue = Queue()
        texts: Queue = Queue()
        busy: Queue = Queue()
        opening = pb.StreamOperation(stream_id=1, open=pb.OpenStream())
        idle_call = stub.StreamDecode(iter(idle.get, None))
        text_call = stub.StreamEncode(iter(texts.get, None))
        busy_call = stub.StreamDecode(iter(busy.get, None))
        for queue, call, message in (
            (idle, idle_call, pb.StreamDecodeRequest()),
            (texts, text_call, pb.StreamEncodeRequest()),
            (busy, busy_call, pb.StreamDecodeRequest(operations=[opening])),
        ):
            queue.put(message)
            next(call)

        process.send_signal(signal.SIGTERM)

        for call in (idle_call, text_call):
            code, _ = refused(lambda call=call: next(call))
            assert code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        columns = pb.AppendColumns(stream_ids=[1], token_counts=[1], token_ids=[10])
        busy.put(pb.StreamDecodeRequest(appends=columns))
        assert 1 == len(next(busy_call).texts.pieces)
        busy.put(pb.StreamDecodeRequest(closes=[1]))
        next(busy_call)
        assert (grpc.StatusCode.UNAVAILABLE, "the sidecar is shutting down") == refused(
            lambda: next(busy_call)
        )
        for queue in (idle, texts, busy):
            queue.put(None)
        assert 0 == process.wait(timeout=4)


def test_large_answers_do_not_hold_up_the_end(launch) -> None:
    """gRPC's own teardown sleeps for ten seconds behind them; nobody needs it."""
    text = b"many words and 12345 numbers " * 1_000_000
    with launch() as (address, process):
        with connect(address) as (stub, _):
            ids = stub.Encode(pb.EncodeRequest(text=text)).token_ids
        process.send_signal(signal.SIGTERM)

        assert 0 == process.wait(timeout=4)
        assert len(ids) > 1_000_000


def test_many_threads_and_a_drain_under_load(
    binary: Path, trained_path: Callable[[str], Path]
) -> None:
    """Whatever runs beside a call, its answer is the same; see tests/load."""
    assert [] == drive(binary, trained_path("gpt2"), seconds=1)
