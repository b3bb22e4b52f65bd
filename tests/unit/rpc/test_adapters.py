"""Adapters over a channel: chosen by name, and listed beside the model that they adapt."""

from __future__ import annotations

import dataclasses

import grpc
import pytest

from service.rpc.server import RpcServer
from service.rpc.serving import Serving
from tests.end_to_end.requests import ask, text
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_way import FakeWay
from triptych.v1 import (
    generation_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
)

ADAPTERS = ("loud", "quiet")
MANY = tuple(f"adapter {number}" for number in range(100))


@pytest.fixture
def engine(way: FakeWay) -> FakeEngine:
    way.engine.model = dataclasses.replace(way.engine.model, adapters=ADAPTERS)
    return way.engine


async def test_an_adapter_is_chosen_by_its_name(
    engine: FakeEngine, open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    """The answer tells which one it is from."""
    stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
    told = []
    for asked in ("", "fake", "quiet", "loud"):
        events = [event async for event in stub.Generate(ask(text("hi"), model=asked))]
        told.append(events[0].started.model)

    assert told == ["fake", "fake", "quiet", "loud"]
    assert engine.adapters == ["", "", "quiet", "loud"]


async def test_adapters_are_listed_behind_their_model(
    engine: FakeEngine, open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    """They differ from it in their name and in what they adapt."""
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    base, *others = (await stub.ListModels(model_service_pb2.ListModelsRequest())).models

    assert (base.name, base.base_model) == ("fake", "")
    assert [(one.name, one.base_model) for one in others] == [("loud", "fake"), ("quiet", "fake")]
    asked = await stub.GetModel(model_service_pb2.GetModelRequest(model="quiet"))
    assert asked.model == others[1]
    others[1].name, others[1].base_model = base.name, ""
    assert others[1] == base


async def test_a_wrong_name_is_told_those_that_there_are(
    engine: FakeEngine, open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await anext(aiter(stub.Generate(ask(text("hi"), model="louder"))))

    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
    assert "'fake', 'loud', 'quiet'" in refusal.value.details()


async def test_a_wrong_name_is_not_told_a_thousand_others(
    engine: FakeEngine, serving: Serving, open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    """A status travels in headers, which have a bound."""
    description = dataclasses.replace(engine.model, adapters=MANY)
    serving.open(dataclasses.replace(serving.loaded(), description=description))
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.GetModel(model_service_pb2.GetModelRequest(model="none"))

    assert MANY[0] in refusal.value.details()
    assert MANY[-1] not in refusal.value.details()
