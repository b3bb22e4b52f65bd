"""The client for plain code, against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2

from tests.unit.client.failures import FAILURES, failure_id
from tests.unit.client.fake_server import (
    REQUEST_ID,
    Failure,
    FakeServer,
    Hang,
    answer,
    completed,
    delta,
    finished,
    started,
)
from triptych.v1 import error_reason_pb2, generation_service_pb2
from triptych_client import (
    CancelledError,
    Client,
    Completed,
    DeadlineExceededError,
    FinishReason,
    InternalError,
    InvalidRequestError,
    LimitExceededError,
    Modality,
    ModelNotFoundError,
    Output,
    OutputFinished,
    PartUsage,
    Started,
    TextDelta,
    Timings,
    TriptychError,
    UnavailableError,
    Usage,
)
from triptych_client._errors import ERROR_OF_CODE, ERROR_OF_REASON, read_error_details

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USAGE = Usage(
    prompt_tokens=12,
    prompt_text_tokens=3,
    prompt_image_tokens=9,
    prompt_audio_tokens=0,
    prompt_video_tokens=0,
    cached_tokens=0,
    completion_tokens=2,
)
TIMINGS = Timings(
    fetch_s=None,
    decode_s=0.25,
    preprocess_s=None,
    queue_s=None,
    prefill_s=None,
    generate_s=1.0,
    cached_media_parts=1,
)
STARTED = Started(
    request_id=REQUEST_ID,
    model="demo",
    prompt_tokens=12,
    parts=(PartUsage("conversation.messages[0].parts[0].image", 9),),
)


@pytest.fixture
def client(server: FakeServer) -> Iterator[Client]:
    """Connect to the scripted server."""
    with Client(server.target) as client:
        yield client


def test_iterating_gives_the_text_as_it_comes(server: FakeServer, client: Client) -> None:
    """Each delta of the first output is one piece; empty ones are left out."""
    server.script = answer("a ", "", "red ", "square")

    assert list(client.generate("what?")) == ["a ", "red ", "square"]


def test_a_read_answer_tells_what_it_cost(server: FakeServer, client: Client) -> None:
    """Usage, timings, reason and the prompt's size are known at the end."""
    server.script = answer("red")
    generation = client.generate("what?")

    assert generation.text() == "red"
    assert generation.started == STARTED
    assert generation.usage == USAGE
    assert generation.timings == TIMINGS
    assert generation.finish_reason is FinishReason.STOP
    assert generation.outputs == (Output("red", (), FinishReason.STOP, None),)


def test_text_joins_what_was_not_read_yet(server: FakeServer, client: Client) -> None:
    """Pieces that the caller has already are not given twice."""
    server.script = answer("a", "b", "c")
    generation = client.generate("what?")
    first = next(iter(generation))

    assert first == "a"
    assert generation.text() == "bc"
    assert generation.outputs[0].text == "abc"


def test_an_unread_answer_does_not_tell_its_cost(client: Client) -> None:
    """Asking too early is a mistake that is told, not a zero."""
    generation = client.generate("what?")

    for name in ("started", "usage", "timings", "finish_reason", "outputs"):
        with pytest.raises(RuntimeError, match="read"):
            getattr(generation, name)


def test_events_are_typed(server: FakeServer, client: Client) -> None:
    """Every event of every output comes, in the order of the stream."""
    server.script = [
        started(),
        delta("red", 0, [5, 6]),
        delta("blue", 1),
        finished(1, generation_service_pb2.FINISH_REASON_LENGTH),
        finished(0, stop_token_id=7),
        completed(),
    ]
    generation = client.generate("what?", n=2)

    assert list(generation.events()) == [
        STARTED,
        TextDelta(0, "red", (5, 6)),
        TextDelta(1, "blue", ()),
        OutputFinished(1, FinishReason.LENGTH, None),
        OutputFinished(0, FinishReason.STOP, 7),
        Completed(USAGE, TIMINGS),
    ]
    assert generation.outputs == (
        Output("red", (5, 6), FinishReason.STOP, 7),
        Output("blue", (), FinishReason.LENGTH, None),
    )


def test_iterating_gives_the_first_output_only(server: FakeServer, client: Client) -> None:
    """Texts of several outputs never mix."""
    server.script = [started(), delta("a", 0), delta("x", 1), delta("b", 0), completed()]

    assert client.generate("what?", n=2).text() == "ab"


def test_an_event_of_a_newer_server_is_skipped(server: FakeServer, client: Client) -> None:
    """An event that this client does not know breaks nothing."""
    server.script = [generation_service_pb2.GenerateResponse(), *answer("red")]

    assert client.generate("what?").text() == "red"


def test_a_stream_without_its_last_event_is_an_error(server: FakeServer, client: Client) -> None:
    """Half an answer never looks like a whole one."""
    server.script = [started(), delta("re")]

    with pytest.raises(InternalError, match="before the answer was complete"):
        client.generate("what?").text()


def test_unary_gives_the_whole_answer(server: FakeServer, client: Client) -> None:
    """The same request as for the stream, and the same facts at once."""
    server.script = answer("a ", "cat")
    whole = client.generate_unary("what?", images=[b"i"], max_tokens=5)

    assert whole.text == "a cat"
    assert whole.finish_reason is FinishReason.STOP
    assert whole.outputs == (Output("a cat", (), FinishReason.STOP, None),)
    assert (whole.started, whole.usage, whole.timings) == (STARTED, USAGE, TIMINGS)
    assert server.request.sampling.max_tokens == 5
    assert server.request.conversation.messages[0].parts[0].image.source.data == b"i"


def test_a_missing_file_is_told_before_any_network_use(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    """Both calls raise FileNotFoundError themselves, and the server hears nothing."""
    with pytest.raises(FileNotFoundError):
        client.generate("what?", images=[tmp_path / "nothing.png"])
    with pytest.raises(FileNotFoundError):
        client.generate_unary("what?", images=[str(tmp_path / "nothing.png")])

    assert server.requests == []


@pytest.mark.parametrize(("failure", "kind"), FAILURES, ids=failure_id)
def test_a_failure_becomes_its_exception(
    server: FakeServer, client: Client, failure: Failure, kind: type[TriptychError]
) -> None:
    """The exception has the class, the code and all that the server told."""
    server.script = [failure]
    with pytest.raises(TriptychError) as caught:
        client.generate("what?").text()
    error = caught.value

    assert type(error) is kind
    assert str(error) == error.message == failure.message
    assert error.code is failure.code
    assert error.reason == failure.reason
    assert error.metadata == (failure.metadata or {})
    assert [(one.field, one.description) for one in error.violations] == list(failure.violations)
    assert error.field == (failure.violations[0][0] if failure.violations else "")
    assert error.retry_after_s == failure.retry_after_s
    assert error.request_id == error.metadata.get("request_id", "")


def test_a_failure_after_text_keeps_the_text(server: FakeServer, client: Client) -> None:
    """What came before the failure was given, and the answer stays incomplete."""
    failure = Failure(grpc.StatusCode.UNAVAILABLE, "engine died", "ENGINE_UNAVAILABLE")
    server.script = [started(), delta("re"), failure]
    generation = client.generate("what?")
    pieces = iter(generation)

    assert next(pieces) == "re"
    with pytest.raises(UnavailableError, match="engine died"):
        next(pieces)
    with pytest.raises(RuntimeError):
        _ = generation.usage


def test_all_calls_map_their_failures(server: FakeServer, client: Client) -> None:
    """Unary and model calls raise the same exceptions as the stream."""
    server.script = [Failure(grpc.StatusCode.UNAVAILABLE, "later", retry_after_s=1)]
    for call in (lambda: client.generate_unary("what?"), client.list_models):
        with pytest.raises(UnavailableError) as caught:
            call()

        assert caught.value.retry_after_s == 1


def test_the_table_of_reasons_is_total() -> None:
    """Every reason of the contract has an exception, and every exception is reached."""
    names = {name.removeprefix("ERROR_REASON_") for name, _ in error_reason_pb2.ErrorReason.items()}
    reached = {*ERROR_OF_REASON.values(), *ERROR_OF_CODE.values()}

    assert set(ERROR_OF_REASON) == names - {"UNSPECIFIED"}
    assert reached == _descendants(TriptychError)
    assert issubclass(LimitExceededError, InvalidRequestError)


def _descendants(kind: type[TriptychError]) -> set[type[TriptychError]]:
    below = set(kind.__subclasses__())
    return below.union(*(_descendants(one) for one in below))


def test_unreadable_details_count_as_none() -> None:
    """A broken proxy does not hide the failure behind another one."""
    assert read_error_details([("grpc-status-details-bin", b"\xff\xff")]).reason == ""
    assert read_error_details([("other", error_details_pb2.ErrorInfo().SerializeToString())])


def test_cancel_stops_the_engine_request(server: FakeServer, client: Client) -> None:
    """The server sees the end of the call, and reading on is an error."""
    server.script = [started(), delta("re"), Hang()]
    generation = client.generate("what?")
    pieces = iter(generation)
    next(pieces)
    generation.cancel()

    with pytest.raises(CancelledError):
        next(pieces)
    assert server.was_left.wait(10)


def test_leaving_the_block_cancels(server: FakeServer, client: Client) -> None:
    """Breaking out of the loop costs the server nothing more."""
    server.script = [started(), delta("re"), Hang()]
    with client.generate("what?") as generation:
        for _ in generation:
            break

    assert server.was_left.wait(10)


def test_a_timeout_is_a_deadline_exceeded_error(server: FakeServer) -> None:
    """The call's own time goes before the client's."""
    server.script = [Hang()]
    with Client(server.target, timeout_s=0.05) as client, pytest.raises(DeadlineExceededError):
        client.generate("what?").text()
    with Client(server.target, timeout_s=60) as client, pytest.raises(DeadlineExceededError):
        client.generate_unary("what?", timeout_s=0.05)


def test_a_large_medium_passes(server: FakeServer, client: Client) -> None:
    """A client's limit above gRPC's 4 MiB holds in the direction that media go."""
    server.script = answer("x" * (5 * 2**20))

    assert len(client.generate("what?").text()) == 5 * 2**20


def test_max_message_bytes_is_a_limit(server: FakeServer) -> None:
    """A message above it is refused here."""
    with (
        Client(server.target, max_message_bytes=1000) as client,
        pytest.raises(LimitExceededError),
    ):
        client.generate("what?", images=[b"x" * 2000]).text()


def test_models_are_described(client: Client) -> None:
    """The list and the single model are the same, in our own words."""
    (model,) = client.list_models()

    assert model == client.get_model() == client.get_model("demo")
    assert model.name == "demo"
    assert model.input_modalities == (Modality.TEXT, Modality.IMAGE)
    assert model.part_limits == {Modality.IMAGE: 4}
    assert model.prompt_format == "chatml"
    assert model.default_sampling == {"temperature": 0.0, "stop_token_ids": (7,)}


def test_an_unknown_model_is_named(client: Client) -> None:
    """The exception has the name and the field."""
    with pytest.raises(ModelNotFoundError) as caught:
        client.get_model("gpt")

    assert caught.value.metadata["model"] == "gpt"
    assert caught.value.field == "model"


def test_waiting_ends_when_the_server_serves(server: FakeServer, client: Client) -> None:
    """A server that starts is waited for."""
    server.health = (
        health_pb2.HealthCheckResponse.NOT_SERVING,
        health_pb2.HealthCheckResponse.SERVING,
    )

    client.wait_until_ready(10)


def test_waiting_too_long_tells_the_server_state(server: FakeServer, client: Client) -> None:
    """A server that is there but not ready is told apart from none."""
    server.health = (health_pb2.HealthCheckResponse.NOT_SERVING,)

    with pytest.raises(DeadlineExceededError, match="NOT_SERVING"):
        client.wait_until_ready(0.2)


def test_waiting_for_no_server_tells_so() -> None:
    """The error names the target."""
    with (
        Client("localhost:1") as client,
        pytest.raises(DeadlineExceededError, match=r"localhost:1 .* cannot be reached"),
    ):
        client.wait_until_ready(0.05)


def test_no_server_is_an_unavailable_error() -> None:
    """Without a server there is no reason, only the class."""
    with Client("localhost:1") as client, pytest.raises(UnavailableError) as caught:
        client.list_models()

    assert caught.value.reason == ""


def test_credentials_make_the_channel_secure(server: FakeServer) -> None:
    """With TLS asked for, a server without it is never talked to in plain text."""
    with (
        Client(server.target, credentials=grpc.ssl_channel_credentials()) as client,
        pytest.raises(UnavailableError),
    ):
        client.list_models()
