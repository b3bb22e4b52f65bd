"""What a call of the tokenizer costs: processor time of the caller and of the sidecar, apart.

    python -m benchmarks.sidecar_calls [MODEL]         (default: the demo model)

The caller is this process, an event loop with `service.tokenizer.sidecar_client`. Its figure is
`time.process_time`, all threads included; the sidecar's is what the kernel counted for its threads
(/proc/PID/task/*/schedstat). Medians of some rounds, in each of which all rows take their turn: a
machine that changes its speed does so for all. The rows with `grpc.aio` are what the same messages
cost by that library, and the rows with `loop` what waiting costs when nothing is asked. The last
lines hold what a call adds, caller and sidecar together, to its bound; from that of a step is taken
what 64 tasks that wait cost asyncio in any case.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import grpc

from service.errors import StartupError
from service.tokenizer.sidecar_client import SidecarClient
from service.tokenizer.sidecar_process import SidecarProcess
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

ROOT = Path(__file__).resolve().parents[1]
BINARY = ROOT / "build" / "sidecar" / "triptych-tokenizer"
ROUNDS = 40
WARM_UP = 100
STREAMS = 64
PROSE = "The old lighthouse keeper wrote down the weather every evening, and so he did today. " * 20
KILOBYTE_BOUND_US = 100
STEP_BOUND_US = 150
DECODE_PATH = "/triptych.sidecar.v1.TokenizerService/StreamDecode"


class Row(NamedTuple):
    """A call to measure, and how often it is called a round."""

    name: str
    call: Callable[[], Awaitable[object]]
    times: int


class Cost(NamedTuple):
    """What one call takes, in microseconds: processor time of each side, and time."""

    caller_us: float
    sidecar_us: float
    wall_us: float


@dataclass
class Meter:
    """Measures calls; `pid` is the sidecar's."""

    pid: int

    async def measure(self, rows: Sequence[Row]) -> list[list[Cost]]:
        """Return the costs of each row, one for each round."""
        for row in rows:
            for _ in range(WARM_UP):
                await row.call()
        rounds = [[await self._cost_of(row) for row in rows] for _ in range(ROUNDS)]
        return [list(costs) for costs in zip(*rounds, strict=True)]

    async def _cost_of(self, row: Row) -> Cost:
        sidecar = self._sidecar_us()
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        for _ in range(row.times):
            await row.call()
        return Cost(
            (time.process_time_ns() - cpu) / 1e3 / row.times,
            (self._sidecar_us() - sidecar) / row.times,
            (time.perf_counter_ns() - wall) / 1e3 / row.times,
        )

    def _sidecar_us(self) -> float:
        """Return the processor time that the sidecar's threads have had."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e3


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


async def rows_of_ours(client: SidecarClient) -> list[Row]:
    """Return the port's methods as the service calls them: first 1 KB, then a step."""
    kilobyte = PROSE[:1024]
    ids = await client.encode(kilobyte)

    async def encode_32() -> None:
        await asyncio.gather(*(client.encode(kilobyte) for _ in range(32)))

    stream = client.open_stream()
    streams = [client.open_stream() for _ in range(STREAMS)]
    tokens = [ids[i : i + 1] for i in range(STREAMS)]
    answers = Answers(lambda i: streams[i].append(tokens[i]))
    return [
        Row(f"encode 1 KB of prose ({len(ids)} ids)", lambda: client.encode(kilobyte), 150),
        Row(f"a step of {STREAMS} streams (all of them)", answers.step, 75),
        Row("append to one stream", lambda: stream.append(tokens[0]), 150),
        Row("encode 1 byte", lambda: client.encode("a"), 150),
        Row("encode 1 KB, 32 at once (all of them)", encode_32, 10),
    ]


def rows_of_the_loop() -> list[Row]:
    """Return what waiting costs when nobody is asked: first that of a step."""
    turns = Turns()
    answers = Answers(lambda _: turns.wait())
    return [
        Row(f"loop: {STREAMS} tasks wait for a future (all of them)", answers.step, 75),
        Row("loop: wait for one future", turns.wait, 150),
    ]


def rows_of_grpc_aio(channel: grpc.aio.Channel) -> list[Row]:
    """Return the same messages by grpc.aio."""
    encode = pb_grpc.TokenizerServiceStub(channel).Encode
    request = pb.EncodeRequest(text=PROSE[:1024].encode())
    call = channel.stream_stream(DECODE_PATH, None, None)(None)

    async def round_trip() -> None:
        await call.write(b"")
        await call.read()

    return [
        Row("grpc.aio: encode 1 KB by a call of its own", lambda: encode(request), 75),
        Row("grpc.aio: an empty message out and in, open call", round_trip, 75),
    ]


def show(rows: Sequence[Row], costs: Sequence[Sequence[Cost]]) -> None:
    """Print the medians of each row."""
    print(f"{'us of processor time':58} {'caller':>9} {'sidecar':>9} {'wall':>9}")
    for row, of_row in zip(rows, costs, strict=True):
        medians = [statistics.median(column) for column in zip(*of_row, strict=True)]
        print(f"{row.name:58} " + " ".join(f"{median:9.1f}" for median in medians))


def hold_to_bound(
    name: str, costs: Sequence[Cost], waiting: Sequence[Cost], bound_us: float
) -> None:
    """Print what a call adds, and whether that is within its bound: the median of the rounds."""
    added = statistics.median(
        cost.caller_us - wait.caller_us + cost.sidecar_us
        for cost, wait in zip(costs, waiting, strict=True)
    )
    print(
        f"{name} adds {added:.1f} us, bound {bound_us:.0f}: "
        f"{'met' if added <= bound_us else 'missed'}"
    )


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(
        prog="sidecar_calls", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "model", nargs="?", type=Path, default=ROOT / "demo" / "model", help="a folder or a file"
    )
    try:
        asyncio.run(measure(parser.parse_args().model))
    except StartupError as error:
        sys.exit(f"sidecar_calls: {error}")


async def measure(tokenizer: Path) -> None:
    """Start a sidecar, measure all rows."""
    process = SidecarProcess(BINARY, tokenizer)
    await process.start()
    assert process.pid is not None
    client = SidecarClient(process.address, local_socket=process.local_socket)
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(process.address, options=options) as channel:
        ours, of_loop = await rows_of_ours(client), rows_of_the_loop()
        rows = [*ours, *of_loop, *rows_of_grpc_aio(channel)]
        costs = await Meter(process.pid).measure(rows)
    show(rows, costs)
    hold_to_bound("encode 1 KB", costs[0], [Cost(0, 0, 0)] * ROUNDS, KILOBYTE_BOUND_US)
    hold_to_bound(f"a step of {STREAMS} streams", costs[1], costs[len(ours)], STEP_BOUND_US)
    await client.close()
    await process.stop()


if __name__ == "__main__":
    main()
