"""Calls with a deadline over a real channel: what was written arrives, or where the time went.

The clients wait for a minute, and the server keeps back all of it, or all but a second: so nothing
here depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from service import deadline
from service.rpc.server import RpcServer
from service.rpc.serving import Serving
from service.telemetry.progress import Stage, enter_stage
from tests.fakes.fake_way import FakeWay
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    sampling_pb2,
)

PATIENCE_S = 60.0
Stub = generation_service_pb2_grpc.GenerationServiceStub


def request(**fields: object) -> generation_service_pb2.GenerateRequest:
    return generation_service_pb2.GenerateRequest(text="hi", **fields)


@pytest.fixture
async def generation(server: RpcServer, channel: grpc.aio.Channel) -> Stub:
    return Stub(channel)


@pytest.fixture(autouse=True)
def any_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a call's time may be kept back."""
    monkeypatch.setattr(deadline, "_LARGEST_SHARE", 1.0)


@pytest.fixture
def serve(way: FakeWay, serving: Serving) -> Callable[..., None]:
    """Serve with another margin, or another part."""

    def serve(**parts: object) -> None:
        way.generator = dataclasses.replace(way.generator, **parts)
        serving.open(way.loaded())

    return serve


async def test_what_was_written_before_the_deadline_arrives(
    generation: Stub, serve: Callable[..., None], way: FakeWay
) -> None:
    """As a stream and at once: the text with what was held back, the reason, and the usage."""
    way.engine.steps = [b"Hell", b"o"]
    asked = request(sampling=sampling_pb2.SamplingParams(stop=["ll!"]))
    way.engine.hold.clear()
    serve(deadline_margin_s=PATIENCE_S - 1.0)

    async def stream() -> list[generation_service_pb2.GenerateResponse]:
        return [event async for event in generation.Generate(asked, timeout=PATIENCE_S)]

    events, whole = await asyncio.gather(
        stream(),
        generation.GenerateUnary(
            generation_service_pb2.GenerateUnaryRequest(request=asked), timeout=PATIENCE_S
        ),
    )

    assert [event.WhichOneof("event") for event in events] == [
        *("started", "text_delta", "text_delta", "output_finished", "completed")
    ]
    assert [event.text_delta.text for event in events[1:3]] == ["He", "ll"]
    assert events[3].output_finished.reason == generation_service_pb2.FINISH_REASON_DEADLINE
    assert events[4].completed.usage.completion_tokens == 4
    assert whole.outputs[0].text == "Hell"
    assert whole.outputs[0].finished.reason == generation_service_pb2.FINISH_REASON_DEADLINE
    assert whole.completed.usage.prompt_tokens == 2
    assert not way.engine.running
    assert way.admission.running == 0


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def hang_while_fetching(way: FakeWay) -> None:
    async def prepare(*_: object, **__: object) -> None:
        enter_stage(Stage.FETCH)
        await wait_for_ever()

    way.preparer.prepare = prepare


async def hang_in_the_workers(way: FakeWay) -> None:
    async def prepare(*_: object, **__: object) -> None:
        enter_stage(Stage.MEDIA)
        await wait_for_ever()

    way.preparer.prepare = prepare


async def hang_in_the_tokenizer(way: FakeWay) -> None:
    async def encode(*_: object, **__: object) -> None:
        await wait_for_ever()

    way.tokenizer.encode = encode


async def hang_in_the_engine(way: FakeWay) -> None:
    way.engine.queue.clear()


async def hang_in_admission(way: FakeWay) -> None:
    with way.admission.visit("") as visit:
        await visit.take_slot(1, outputs=way.admission.limits.max_running)
        await wait_for_ever()


@pytest.mark.parametrize(
    ("hang", "stage"),
    [
        (hang_in_the_tokenizer, "preparing_prompt"),
        (hang_while_fetching, "fetching_media"),
        (hang_in_the_workers, "preparing_media"),
        (hang_in_admission, "waiting_for_admission"),
        (hang_in_the_engine, "waiting_for_engine"),
    ],
)
async def test_a_call_of_which_nothing_was_written_tells_where_its_time_went(
    generation: Stub,
    serve: Callable[..., None],
    way: FakeWay,
    hang: Callable[[FakeWay], Awaitable[None]],
    stage: str,
) -> None:
    """In a status of ours, which arrives."""
    serve(deadline_margin_s=PATIENCE_S)
    hanging = asyncio.create_task(hang(way))
    await asyncio.sleep(0)
    image = media_pb2.ImagePart(source=media_pb2.MediaSource(data=b"xy"))
    asked = request(media=[conversation_pb2.Part(image=image)] if "media" in stage else [])

    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await generation.GenerateUnary(
            generation_service_pb2.GenerateUnaryRequest(request=asked), timeout=PATIENCE_S
        )

    hanging.cancel()
    info = error_details_pb2.ErrorInfo()
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert rpc_status.from_call(failure.value).details[0].Unpack(info)
    assert (info.reason, info.metadata["stage"]) == ("DEADLINE_EXCEEDED", stage)
    assert not way.engine.running
    assert way.admission.waiting == 0


async def test_a_client_may_leave_its_deadline_to_grpc(
    generation: Stub, serve: Callable[..., None], way: FakeWay
) -> None:
    """Then its call fails, and the engine is free all the same."""
    way.engine.hold.clear()
    serve(deadline_margin_s=PATIENCE_S)
    options = generation_service_pb2.OutputOptions(finish_before_deadline=False)
    call = generation.Generate(request(output_options=options), timeout=1.0)

    with pytest.raises(grpc.aio.AioRpcError) as failure:
        [event async for event in call]

    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert rpc_status.from_call(failure.value) is None
    await asyncio.wait_for(way.engine.idle.wait(), 10)


async def test_without_a_deadline_an_answer_ends_by_itself(
    generation: Stub, serve: Callable[..., None]
) -> None:
    serve(deadline_margin_s=PATIENCE_S)
    events = [event async for event in generation.Generate(request())]
    assert events[-2].output_finished.reason == generation_service_pb2.FINISH_REASON_STOP
