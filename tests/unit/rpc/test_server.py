"""The public door over a real socket: streams, statuses, health, draining."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from service.errors import StartupError
from service.rpc.responses import join
from service.rpc.server import RpcServer, build_server
from service.rpc.serving import Serving
from tests.fakes.fake_engine import FakeEngine
from tests.unit.rpc.conftest import MAX_MESSAGE_BYTES
from triptych.v1 import (
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
PROMPT = generation_service_pb2.GenerateRequest(text="hi")


def reason(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info.reason


def generation(channel: grpc.aio.Channel) -> generation_service_pb2_grpc.GenerationServiceStub:
    return generation_service_pb2_grpc.GenerationServiceStub(channel)


async def health(channel: grpc.aio.Channel, service: str = "") -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_unary_is_the_stream_put_together(
    open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    request = generation_service_pb2.GenerateRequest(text="hi")
    request.output_options.include_token_ids = True
    request.sampling.n = 2
    events = [event async for event in generation(channel).Generate(request)]
    unary = await generation(channel).GenerateUnary(
        generation_service_pb2.GenerateUnaryRequest(request=request)
    )
    joined = join(events)
    joined.started.request_id = unary.started.request_id
    assert MessageToDict(unary) == MessageToDict(joined)
    assert [output.text for output in unary.outputs] == ["Hello", "Hello"]
    assert list(unary.outputs[1].token_ids) == [*b"Hello", 0]


async def test_a_call_before_the_model_is_loaded_is_told_to_retry(
    server: RpcServer, channel: grpc.aio.Channel
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await generation(channel).GenerateUnary(
            generation_service_pb2.GenerateUnaryRequest(request=PROMPT)
        )
    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(refusal.value) == "ENGINE_UNAVAILABLE"


async def test_an_unknown_model_is_not_found(
    open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    request = generation_service_pb2.GenerateRequest(model="other", text="hi")
    with pytest.raises(grpc.aio.AioRpcError, match="'fake'") as refusal:
        await generation(channel).Generate(request).read()
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(refusal.value) == "MODEL_NOT_FOUND"


async def test_a_defect_says_nothing_from_inside(
    open_server: RpcServer, channel: grpc.aio.Channel, engine: FakeEngine
) -> None:
    engine.steps = ["no bytes"]
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        async for _ in generation(channel).Generate(PROMPT):
            pass
    assert failure.value.code() is grpc.StatusCode.INTERNAL
    assert reason(failure.value) == "INTERNAL"
    assert "bytes" not in failure.value.details()


async def test_a_message_above_the_limit_is_refused_and_the_next_call_works(
    open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    huge = generation_service_pb2.GenerateRequest(text="x" * (MAX_MESSAGE_BYTES + 1))
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await generation(channel).Generate(huge).read()
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert [e async for e in generation(channel).Generate(PROMPT)]


async def test_cancelling_a_call_stops_the_engine(
    open_server: RpcServer, channel: grpc.aio.Channel, engine: FakeEngine
) -> None:
    engine.hold.clear()
    call = generation(channel).Generate(PROMPT)
    await call.read()
    await call.read()
    assert engine.running
    call.cancel()
    await asyncio.wait_for(engine.idle.wait(), 10)


async def test_the_model_is_described(open_server: RpcServer, channel: grpc.aio.Channel) -> None:
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    listed = await stub.ListModels(model_service_pb2.ListModelsRequest())
    model = (await stub.GetModel(model_service_pb2.GetModelRequest(model="fake"))).model
    assert list(listed.models) == [model]
    assert list(model.input_modalities) == [
        media_pb2.MODALITY_TEXT,
        media_pb2.MODALITY_IMAGE,
        media_pb2.MODALITY_AUDIO,
    ]
    assert {limit.modality: limit.max_parts for limit in model.part_limits} == {
        media_pb2.MODALITY_IMAGE: 2,
        media_pb2.MODALITY_AUDIO: 1,
    }
    assert model.default_sampling.temperature == 0.5
    assert not model.default_sampling.HasField("top_p")
    assert [place.modality for place in model.placeholders] == [
        media_pb2.MODALITY_IMAGE,
        media_pb2.MODALITY_AUDIO,
        media_pb2.MODALITY_VIDEO,
    ]
    assert [(cost.modality, cost.tokens) for cost in model.media_costs] == [
        (media_pb2.MODALITY_IMAGE, 7.0)
    ]
    assert (model.memory.weights_bytes, model.memory.encoder_weights_bytes) == (4000, 1000)
    assert model.memory.kv_cache_bytes == 640 * model.memory.kv_cache_bytes_per_token


async def test_health_is_not_serving_until_the_model_is_there(
    server: RpcServer, channel: grpc.aio.Channel
) -> None:
    name = "triptych.v1.GenerationService"
    assert (await health(channel), await health(channel, name)) == (NOT_SERVING, NOT_SERVING)
    await server.set_serving(serving=True)
    assert (await health(channel), await health(channel, name)) == (SERVING, SERVING)


async def test_a_health_watcher_sees_every_change_and_does_not_delay_the_stop(
    server: RpcServer, channel: grpc.aio.Channel
) -> None:
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    seen = [(await watch.read()).status]
    await server.set_serving(serving=True)
    seen.append((await watch.read()).status)
    stopping = asyncio.create_task(server.stop(3600))
    seen.append((await watch.read()).status)
    assert seen == [NOT_SERVING, SERVING, NOT_SERVING]
    await stopping


async def test_stopping_lets_a_running_stream_finish_and_refuses_new_ones(
    open_server: RpcServer, serving: Serving, channel: grpc.aio.Channel, engine: FakeEngine
) -> None:
    engine.hold.clear()
    call = aiter(generation(channel).Generate(PROMPT))
    events = [await anext(call), await anext(call)]
    serving.close()
    stopping = asyncio.create_task(open_server.stop(3600))
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    async for response in watch:
        if response.status == NOT_SERVING:
            break
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await generation(channel).Generate(PROMPT).read()
    assert reason(refusal.value) == "SHUTTING_DOWN"
    engine.hold.set()
    events += [event async for event in call]
    assert events[-1].WhichOneof("event") == "completed"
    await stopping


async def test_a_stream_that_outlives_the_grace_time_is_cancelled(
    open_server: RpcServer, channel: grpc.aio.Channel, engine: FakeEngine
) -> None:
    engine.hold.clear()
    call = aiter(generation(channel).Generate(PROMPT))
    await anext(call)
    await open_server.stop(0.01)
    with pytest.raises(grpc.aio.AioRpcError) as end:
        async for _ in call:
            pass
    assert end.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    assert not engine.running


async def test_an_address_in_use_is_a_clear_start_up_error(serving: Serving) -> None:
    first = build_server("127.0.0.1:0", serving, max_message_bytes=MAX_MESSAGE_BYTES)
    await first.start()
    with pytest.raises(StartupError, match="--listen"):
        build_server(first.address, serving, max_message_bytes=MAX_MESSAGE_BYTES)
    await first.stop(0)


async def test_a_malformed_address_is_a_clear_start_up_error(serving: Serving) -> None:
    with pytest.raises(StartupError, match="--listen"):
        build_server("not an address", serving, max_message_bytes=MAX_MESSAGE_BYTES)
