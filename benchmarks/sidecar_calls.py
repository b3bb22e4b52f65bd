"""What a call of the tokenizer costs: processor time of the caller and of the sidecar, apart.

    python -m benchmarks.sidecar_calls [MODEL]         (default: the demo model)

The caller is this process, an event loop with `service.tokenizer.sidecar_client`. Its figure is
`time.process_time`, all threads included; the sidecar's is what the kernel counted for its threads
(/proc/PID/task/*/schedstat). Medians of some rounds. The rows with `grpc.aio` are what the same
messages cost by that library, and the rows with `loop` what waiting costs when nothing is asked.
The last lines hold what a call adds, caller and sidecar together, to its bound; from that of a step
is taken what 64 tasks that wait cost asyncio in any case.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import grpc

from service.tokenizer.sidecar_client import SidecarClient
from service.tokenizer.sidecar_process import SidecarProcess
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

ROOT = Path(__file__).resolve().parents[1]
BINARY = ROOT / "build" / "sidecar" / "triptych-tokenizer"
ROUNDS = 15
WARM_UP = 100
STREAMS = 64
PROSE = "The old lighthouse keeper wrote down the weather every evening, and so he did today. " * 20
KILOBYTE_BOUND_US = 100
STEP_BOUND_US = 150
DECODE_PATH = "/triptych.sidecar.v1.TokenizerService/StreamDecode"


class Cost(NamedTuple):
    """Processor time of one call, in microseconds."""

    caller_us: float
    sidecar_us: float


@dataclass
class Meter:
    """Measures calls; `pid` is the sidecar's."""

    pid: int

    def sidecar_us(self) -> float:
        """Return the processor time that the sidecar's threads have had."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e3

    async def report(self, name: str, call: Callable[[], Awaitable[object]], times: int) -> Cost:
        """Print and return the medians for one call; it is called `times` times a round."""
        for _ in range(WARM_UP):
            await call()
        rows = []
        for _ in range(ROUNDS):
            sidecar = self.sidecar_us()
            cpu, wall = time.process_time_ns(), time.perf_counter_ns()
            for _ in range(times):
                await call()
            rows.append(
                (
                    (time.process_time_ns() - cpu) / 1e3 / times,
                    (self.sidecar_us() - sidecar) / times,
                    (time.perf_counter_ns() - wall) / 1e3 / times,
                )
            )
        caller, sidecar, wall_us = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{name:58} {caller:9.1f} {sidecar:9.1f} {wall_us:9.1f}", flush=True)
        return Cost(caller, sidecar)


class Turns:
    """Lets many tasks wait for a result that comes to all of them in a later turn of the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[str]] = []

    def wait(self) -> asyncio.Future[str]:
        """Return a future that is set at the turn's end."""
        if not self._waiting:
            self._loop.call_soon(self._end_turn)
        future: asyncio.Future[str] = self._loop.create_future()
        self._waiting.append(future)
        return future

    def _end_turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.set_result("text")


class Answers:
    """64 answers that grow, each in its task, as in a server; a step lets each of them append."""

    def __init__(self, append: Callable[[int], Awaitable[object]]) -> None:
        self._append = append
        self._todo: list[asyncio.Event] = [asyncio.Event() for _ in range(STREAMS)]
        self._left = 0
        self._done = asyncio.Event()
        self.tasks = [asyncio.create_task(self._grow(i)) for i in range(STREAMS)]

    async def _grow(self, index: int) -> None:
        event = self._todo[index]
        while True:
            await event.wait()
            event.clear()
            await self._append(index)
            self._left -= 1
            if not self._left:
                self._done.set()

    async def step(self) -> None:
        """Let each answer append once; return when all have their text."""
        self._left = STREAMS
        self._done.clear()
        for event in self._todo:
            event.set()
        await self._done.wait()


async def measure_ours(meter: Meter, client: SidecarClient) -> tuple[Cost, Cost]:
    """Measure the port's methods as the service calls them; return those of 1 KB and of a step."""
    kilobyte = PROSE[:1024]
    ids = await client.encode(kilobyte)
    of_kilobyte = await meter.report(
        f"encode 1 KB of prose ({len(ids)} ids)", lambda: client.encode(kilobyte), 400
    )
    await meter.report("encode 1 byte", lambda: client.encode("a"), 400)

    async def encode_32() -> None:
        await asyncio.gather(*(client.encode(kilobyte) for _ in range(32)))

    await meter.report("encode 1 KB, 32 at once (all of them)", encode_32, 20)
    stream = client.open_stream()
    await meter.report("append to one stream", lambda: stream.append(ids[:1]), 400)
    streams = [client.open_stream() for _ in range(STREAMS)]
    answers = Answers(lambda i: streams[i].append(ids[i : i + 1]))
    of_step = await meter.report(f"a step of {STREAMS} streams (all of them)", answers.step, 200)
    for task in answers.tasks:
        task.cancel()
    return of_kilobyte, of_step


async def measure_loop(meter: Meter) -> Cost:
    """Measure what waiting costs when nobody is asked; return that of a step."""
    turns = Turns()
    await meter.report("loop: wait for one future", turns.wait, 400)
    answers = Answers(lambda _: turns.wait())
    of_step = await meter.report(
        f"loop: {STREAMS} tasks wait for a future (all of them)", answers.step, 200
    )
    for task in answers.tasks:
        task.cancel()
    return of_step


async def measure_grpc_aio(meter: Meter, address: str) -> None:
    """Measure the same messages by grpc.aio."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        encode = pb_grpc.TokenizerServiceStub(channel).Encode
        request = pb.EncodeRequest(text=PROSE[:1024].encode())
        await meter.report(
            "grpc.aio: encode 1 KB by a call of its own", lambda: encode(request), 200
        )
        call = channel.stream_stream(DECODE_PATH, None, None)(None)

        async def round_trip() -> None:
            await call.write(b"")
            await call.read()

        await meter.report("grpc.aio: an empty message out and in, open call", round_trip, 200)
        call.cancel()


def hold_to_bound(name: str, cost: Cost, waiting: Cost, bound_us: float) -> None:
    """Print what a call adds, and whether that is within its bound."""
    added = cost.caller_us - waiting.caller_us + cost.sidecar_us
    print(
        f"{name}: {cost.caller_us:.1f} - {waiting.caller_us:.1f} + {cost.sidecar_us:.1f} "
        f"= {added:.1f} us, bound {bound_us:.0f}: {'met' if added <= bound_us else 'missed'}"
    )


async def main(tokenizer: Path) -> None:
    """Start a sidecar, measure all rows."""
    process = SidecarProcess(BINARY, tokenizer)
    await process.start()
    assert process.pid is not None
    meter = Meter(process.pid)
    client = SidecarClient(process.address, local_socket=process.local_socket)
    print(f"{'us of processor time':58} {'caller':>9} {'sidecar':>9} {'wall':>9}")
    of_kilobyte, of_step = await measure_ours(meter, client)
    waiting = await measure_loop(meter)
    await measure_grpc_aio(meter, process.address)
    hold_to_bound("encode 1 KB", of_kilobyte, Cost(0, 0), KILOBYTE_BOUND_US)
    hold_to_bound(f"a step of {STREAMS} streams", of_step, waiting, STEP_BOUND_US)
    await client.close()
    await process.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "demo" / "model")))
