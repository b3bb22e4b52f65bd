"""Who is served, who waits and who is refused, as clients see it over a real channel."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from service.admission import Admission, AdmissionLimits
from service.rpc.server import build_server
from service.rpc.serving import Serving
from tests.fakes.fake_way import FakeWay
from tests.unit.rpc.test_server import reason
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    tokenizer_service_pb2,
    tokenizer_service_pb2_grpc,
)

CALLER = "x-caller"
Call = grpc.aio.UnaryStreamCall


class Bench:
    """A server with one slot, and clients of any name."""

    def __init__(self, channel: grpc.aio.Channel, way: FakeWay, serving: Serving) -> None:
        self.way = way
        self.serving = serving
        self.generation = generation_service_pb2_grpc.GenerationServiceStub(channel)
        self.tokenizer = tokenizer_service_pb2_grpc.TokenizerServiceStub(channel)
        self.admit(AdmissionLimits(1, 100, 10_000))

    def admit(self, limits: AdmissionLimits) -> None:
        self.way.admission = Admission(limits)
        self.way.generator = dataclasses.replace(self.way.generator, admission=self.way.admission)
        self.serving.open(self.way.loaded())

    def ask(self, caller: str = "", **fields: object) -> Call:
        request = generation_service_pb2.GenerateRequest(**{"text": "hi", **fields})
        return self.generation.Generate(request, metadata=((CALLER, caller),))

    async def run(self, caller: str = "") -> Call:
        """Let one run that does not end."""
        self.way.engine.hold.clear()
        call = self.ask(caller)
        await call.read()
        return call

    async def wait(self, caller: str = "") -> Call:
        """Let one more wait for the slot."""
        waiting = self.way.admission.waiting
        call = self.ask(caller)
        await until(lambda: self.way.admission.waiting == waiting + 1)
        return call


async def until(condition: Callable[[], bool]) -> None:
    """Let the server work until it is so."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it tells of itself by counters
            await asyncio.sleep(0.001)


@pytest.fixture
async def bench(way: FakeWay, serving: Serving, tmp_path: Path) -> AsyncIterator[Bench]:
    server = build_server(
        f"unix:{tmp_path}/rpc.sock", serving, max_message_bytes=1 << 20, caller_header=CALLER
    )
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        bench = Bench(channel, way, serving)
        yield bench
    await server.stop(0)
    assert (bench.way.admission.running, bench.way.admission.waiting) == (0, 0)


async def test_one_too_many_is_told_the_bound_and_when_to_come_back(bench: Bench) -> None:
    bench.admit(AdmissionLimits(1, 1, 10_000))
    await bench.run()
    await bench.wait()
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await bench.ask().read()

    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    info_packed, retry_packed = rpc_status.from_call(refusal.value).details
    assert info_packed.Unpack(info)
    assert retry_packed.Unpack(retry)
    assert info.reason == "OVERLOADED"
    assert dict(info.metadata) == {
        "limit": "max_waiting_requests",
        "limit_value": "1",
        "actual": "2",
    }
    assert retry.retry_delay.seconds >= 1


async def test_a_full_room_makes_room_for_another_caller(bench: Bench) -> None:
    bench.admit(AdmissionLimits(1, 2, 10_000))
    await bench.run("anna")
    await bench.wait("anna")
    newest = await bench.wait("anna")
    other = bench.ask("bert")

    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await newest.read()

    assert reason(refusal.value) == "OVERLOADED"
    bench.way.engine.hold.set()
    assert (await other.read()).HasField("started")


async def test_callers_take_turns(bench: Bench) -> None:
    """Who sent five before waits for who sent one."""
    running = await bench.run("anna")
    calls = [("anna", await bench.wait("anna")) for _ in range(4)]
    calls.append(("bert", await bench.wait("bert")))
    order: list[str] = []

    async def read(caller: str, call: Call) -> None:
        await call.read()
        order.append(caller)
        while await call.read() is not grpc.aio.EOF:
            pass

    reading = [asyncio.create_task(read(caller, call)) for caller, call in calls]
    running.cancel()
    bench.way.engine.hold.set()
    await asyncio.gather(*reading)

    assert order.index("bert") <= 1


async def test_text_does_not_wait_for_the_media_of_others(bench: Bench) -> None:
    """Nor does it for a slot that they would hold meanwhile."""
    prepare = bench.way.preparer.prepare
    may_go_on = asyncio.Event()

    async def prepare_late(*parts: object, **options: object) -> object:
        await may_go_on.wait()
        return await prepare(*parts, **options)

    bench.way.preparer.prepare = prepare_late
    image = media_pb2.ImagePart(source=media_pb2.MediaSource(data=b"xy"))
    slow = bench.ask(media=[conversation_pb2.Part(image=image)])
    await until(lambda: bench.way.admission.waiting == 1)

    text = [event.WhichOneof("event") async for event in bench.ask()]

    assert text[-1] == "completed"
    may_go_on.set()
    assert [event.WhichOneof("event") async for event in slow][-1] == "completed"


async def test_a_client_that_leaves_the_line_is_counted_no_more(bench: Bench) -> None:
    await bench.run()
    waiting = await bench.wait()
    waiting.cancel()
    await until(lambda: bench.way.admission.waiting == 0)
    assert bench.way.admission.running == 1


async def test_when_the_server_stops_those_who_wait_are_sent_elsewhere(bench: Bench) -> None:
    """And those who run end as they would."""
    running = await bench.run()
    waiting = await bench.wait()
    bench.way.admission.close()

    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await waiting.read()

    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(refusal.value) == "SHUTTING_DOWN"
    bench.way.engine.hold.set()
    kinds = []
    while (event := await running.read()) is not grpc.aio.EOF:
        kinds.append(event.WhichOneof("event"))
    assert kinds[-1] == "completed"


async def test_counting_tokens_takes_no_slot_but_room(bench: Bench) -> None:
    """It is done while all slots are taken; and refused where nobody may wait."""
    request = tokenizer_service_pb2.CountTokensRequest(
        request=generation_service_pb2.GenerateRequest(text="hi")
    )
    await bench.run()
    assert (await bench.tokenizer.CountTokens(request)).prompt_tokens == 2

    bench.admit(AdmissionLimits(1, 0, 10_000))
    running = await bench.run()
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await bench.tokenizer.CountTokens(request)

    assert reason(refusal.value) == "OVERLOADED"
    running.cancel()
    await until(lambda: bench.way.admission.running == 0)
