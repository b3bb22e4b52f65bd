"""The client for asyncio: what is its own; all that both share is in `test_client.py`."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2

from tests.unit.client.failures import FAILURES, failure_id
from tests.unit.client.fake_server import Failure, FakeServer, Hang, answer, delta, started
from triptych_client import (
    AsyncClient,
    AsyncGeneration,
    CancelledError,
    Client,
    DeadlineExceededError,
    FinishReason,
    Generation,
    ModelNotFoundError,
    Output,
    TriptychError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def client(server: FakeServer) -> AsyncIterator[AsyncClient]:
    """Connect to the scripted server."""
    async with AsyncClient(server.target) as client:
        yield client


@pytest.mark.parametrize(("plain", "twin"), [(Client, AsyncClient), (Generation, AsyncGeneration)])
def test_both_clients_have_the_same_methods(plain: type, twin: type) -> None:
    """Whoever knows one knows the other."""
    for name, method in inspect.getmembers(plain, inspect.isfunction):
        if not name.startswith("_"):
            ours = inspect.signature(method).parameters
            theirs = inspect.signature(getattr(twin, name)).parameters

            assert list(ours.values()) == list(theirs.values()), name


@pytest.mark.asyncio
async def test_iterating_gives_the_text_as_it_comes(
    server: FakeServer, client: AsyncClient
) -> None:
    """Each delta is one piece, and the cost is known at the end."""
    server.script = answer("a ", "cat")
    generation = client.generate("what?")
    pieces = [text async for text in generation]

    assert pieces == ["a ", "cat"]
    assert generation.usage.completion_tokens == 2
    assert generation.outputs == (Output("a cat", (), FinishReason.STOP, None),)


@pytest.mark.asyncio
async def test_events_and_text_share_the_stream(server: FakeServer, client: AsyncClient) -> None:
    """What one reads, the other does not give again."""
    server.script = answer("a", "b", "c")
    generation = client.generate("what?")
    async for _ in generation.events():
        break
    async for text in generation:
        assert text == "a"
        break

    assert generation.started.prompt_tokens == 12
    assert await generation.text() == "bc"


@pytest.mark.asyncio
async def test_unary_gives_the_whole_answer(server: FakeServer, client: AsyncClient) -> None:
    """The request has the media, and the answer is whole."""
    whole = await client.generate_unary("what?", images=[b"i"])

    assert whole.text == "red"
    assert server.request.conversation.messages[0].parts[0].image.source.data == b"i"


@pytest.mark.asyncio
async def test_a_missing_file_is_told_before_any_network_use(
    server: FakeServer, client: AsyncClient, tmp_path: Path
) -> None:
    """The server hears nothing."""
    with pytest.raises(FileNotFoundError):
        await client.generate("what?", images=[tmp_path / "nothing.png"]).text()
    with pytest.raises(FileNotFoundError):
        await client.generate_unary("what?", images=[tmp_path / "nothing.png"])

    assert server.requests == []


@pytest.mark.asyncio
@pytest.mark.parametrize(("failure", "kind"), FAILURES, ids=failure_id)
async def test_a_failure_becomes_its_exception(
    server: FakeServer, client: AsyncClient, failure: Failure, kind: type[TriptychError]
) -> None:
    """The same exception as from the client for plain code."""
    server.script = [failure]
    with pytest.raises(TriptychError) as caught:
        await client.generate("what?").text()
    error = caught.value

    assert type(error) is kind
    assert str(error) == failure.message
    assert (error.code, error.reason) == (failure.code, failure.reason)
    assert error.field == (failure.violations[0][0] if failure.violations else "")
    assert error.retry_after_s == failure.retry_after_s


@pytest.mark.asyncio
async def test_cancel_stops_the_engine_request(server: FakeServer, client: AsyncClient) -> None:
    """Reading on is our CancelledError, not the one of asyncio."""
    server.script = [started(), delta("re"), Hang()]
    generation = client.generate("what?")
    pieces = aiter(generation)
    await anext(pieces)
    generation.cancel()

    with pytest.raises(CancelledError):
        await anext(pieces)
    assert await asyncio.to_thread(server.was_left.wait, 10)


@pytest.mark.asyncio
async def test_cancel_before_the_first_read_sends_nothing(
    server: FakeServer, client: AsyncClient
) -> None:
    """The call never begins."""
    generation = client.generate("what?")
    generation.cancel()

    with pytest.raises(CancelledError):
        await generation.text()
    assert server.requests == []


@pytest.mark.asyncio
async def test_cancelling_the_reading_task_cancels_the_call(
    server: FakeServer, client: AsyncClient
) -> None:
    """The task ends as cancelled tasks do, and the server is told."""
    server.script = [started(), delta("re"), Hang()]
    generation = client.generate("what?")
    pieces = aiter(generation)
    await anext(pieces)
    reader = asyncio.ensure_future(anext(pieces))
    asyncio.get_running_loop().call_soon(reader.cancel)

    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await asyncio.to_thread(server.was_left.wait, 10)


@pytest.mark.asyncio
async def test_leaving_the_block_cancels(server: FakeServer, client: AsyncClient) -> None:
    """Breaking out of the loop costs the server nothing more."""
    server.script = [started(), delta("re"), Hang()]
    async with client.generate("what?") as generation:
        async for _ in generation:
            break

    assert await asyncio.to_thread(server.was_left.wait, 10)


@pytest.mark.asyncio
async def test_a_timeout_is_a_deadline_exceeded_error(
    server: FakeServer, client: AsyncClient
) -> None:
    """The stream and the unary call both end in time."""
    server.script = [Hang()]
    with pytest.raises(DeadlineExceededError):
        await client.generate("what?", timeout_s=0.05).text()
    with pytest.raises(DeadlineExceededError):
        await client.generate_unary("what?", timeout_s=0.05)


@pytest.mark.asyncio
async def test_models_are_described(client: AsyncClient) -> None:
    """The list and the single model are the same; an unknown one is an error."""
    assert await client.list_models() == [await client.get_model("demo")]
    with pytest.raises(ModelNotFoundError):
        await client.get_model("gpt")


@pytest.mark.asyncio
async def test_all_calls_map_their_failures(server: FakeServer, client: AsyncClient) -> None:
    """Unary and model calls raise the same exceptions as the stream."""
    server.script = [Failure(grpc.StatusCode.UNAVAILABLE, "later")]
    with pytest.raises(UnavailableError):
        await client.list_models()
    with pytest.raises(UnavailableError):
        await client.generate_unary("what?")


@pytest.mark.asyncio
async def test_waiting_ends_when_the_server_serves(server: FakeServer, client: AsyncClient) -> None:
    """A server that starts is waited for, one that does not is told."""
    server.health = (
        health_pb2.HealthCheckResponse.NOT_SERVING,
        health_pb2.HealthCheckResponse.SERVING,
    )
    await client.wait_until_ready(10)
    server.health = (health_pb2.HealthCheckResponse.NOT_SERVING,)

    with pytest.raises(DeadlineExceededError, match="NOT_SERVING"):
        await client.wait_until_ready(0.2)


@pytest.mark.asyncio
async def test_credentials_make_the_channel_secure(server: FakeServer) -> None:
    """With TLS asked for, a server without it is never talked to in plain text."""
    credentials = grpc.ssl_channel_credentials()
    async with AsyncClient(server.target, credentials=credentials) as client:
        with pytest.raises(UnavailableError):
            await client.list_models()
