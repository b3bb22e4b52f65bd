"""A call that its client gives up is gone at once, wherever it is: nothing is held for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import pytest
from prometheus_client import REGISTRY

from service.rpc.server import RpcServer
from service.telemetry.progress import Stage
from tests.fakes.fake_way import FakeWay
from tests.unit.rpc.test_admission import until
from tests.unit.rpc.test_deadlines import (
    hang_in_admission,
    hang_in_the_engine,
    hang_in_the_tokenizer,
    hang_in_the_workers,
    hang_while_fetching,
)
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
)


def counts() -> dict[Stage, float]:
    return {
        stage: REGISTRY.get_sample_value("triptych_requests", {"stage": stage}) or 0.0
        for stage in Stage
    }


async def hang_while_writing(way: FakeWay) -> None:
    way.engine.hold.clear()


@pytest.mark.parametrize(
    ("hang", "stage"),
    [
        (hang_in_the_tokenizer, Stage.PROMPT),
        (hang_while_fetching, Stage.FETCH),
        (hang_in_the_workers, Stage.MEDIA),
        (hang_in_admission, Stage.ADMISSION),
        (hang_in_the_engine, Stage.ENGINE),
        (hang_while_writing, Stage.WRITING),
    ],
)
@pytest.mark.parametrize("is_unary", [False, True], ids=["stream", "unary"])
async def test_a_cancelled_call_leaves_nothing_behind(  # noqa: PLR0913, PLR0917 - fixtures
    open_server: RpcServer,
    channel: grpc.aio.Channel,
    way: FakeWay,
    hang: Callable[[FakeWay], Awaitable[None]],
    stage: Stage,
    is_unary: bool,
) -> None:
    generation = generation_service_pb2_grpc.GenerationServiceStub(channel)
    hanging = asyncio.create_task(hang(way))
    await asyncio.sleep(0)
    before, held = counts(), way.admission.running
    image = media_pb2.ImagePart(source=media_pb2.MediaSource(data=b"xy"))
    needs_media = stage in (Stage.FETCH, Stage.MEDIA)
    media = [conversation_pb2.Part(image=image)] if needs_media else []
    request = generation_service_pb2.GenerateRequest(text="hi", media=media)
    if is_unary:
        whole = generation_service_pb2.GenerateUnaryRequest(request=request)
        call = generation.GenerateUnary(whole)
    else:
        call = generation.Generate(request)
    await until(lambda: counts()[stage] == before[stage] + 1)

    call.cancel()

    await until(lambda: counts() == before)
    assert (way.admission.running, way.admission.waiting) == (held, 0)
    assert not way.engine.running
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
