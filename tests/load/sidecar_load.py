"""Drives a sidecar from many threads for some seconds, then drains it under load.

    python -m tests.load.sidecar_load --binary build/sidecar/triptych-tokenizer --seconds 20

Every answer is compared with the one that a quiet sidecar gave. It fails where one differs, where
a call fails that should not, where the sidecar does not end with 0 after SIGTERM, and where its
stderr has a sanitizer's report. Meant for a build with ThreadSanitizer
(scripts/check_sidecar_threads.sh); tests/unit/tokenizer/test_sidecar_server.py has a short run.

Everything stays on this machine: one child process on two Unix sockets, which ends with this one.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc

from tests.unit.tokenizer.frame_caller import DECODE, ENCODE, Caller, frame
from tests.unit.tokenizer.hard_texts import PIECES, SENTENCES
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

ROOT = Path(__file__).resolve().parents[2]
THREADS = 12
TEXTS = [*(text.encode() for text in (*PIECES, *SENTENCES)), b"word " * 3000, b""]
_Ask = Callable[[Iterator[Any]], Iterable[Any]]  # a streaming call
_AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


class Load:
    """Threads that call one sidecar, and what came of it."""

    def __init__(self, address: str, local_socket: Path) -> None:
        self._address = address
        self._local_socket = local_socket
        self._stop = threading.Event()
        self.is_draining = threading.Event()
        self.calls: Counter[str] = Counter()
        self.problems: list[str] = []
        with self._connect() as channel:
            stub = pb_grpc.TokenizerServiceStub(channel)
            self._encoded = [stub.Encode(_request(text)) for text in TEXTS]
            self._decoded = [
                stub.Decode(pb.DecodeRequest(token_ids=encoded.token_ids)).text
                for encoded in self._encoded
            ]

    def start(self) -> list[threading.Thread]:
        """Start all threads."""
        threads = [threading.Thread(target=self._run, args=(seed,)) for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        return threads

    def stop(self) -> None:
        """Let all threads end."""
        self._stop.set()

    def _connect(self) -> grpc.Channel:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        return grpc.insecure_channel(self._address, options=options)

    def _run(self, seed: int) -> None:
        rng = random.Random(seed)
        methods: list[Callable[[pb_grpc.TokenizerServiceStub, random.Random], None]] = [
            *(self._encode, self._batch, self._decode, self._streams, self._texts),
            *(self._cancel_stream, self._cancel_encode, self._refused, self._info),
            *(self._local_streams, self._local_texts, self._local_hang_up),
        ]
        with self._connect() as channel:
            stub = pb_grpc.TokenizerServiceStub(channel)
            while not self._stop.is_set():
                method = rng.choice(methods)
                try:
                    method(stub, rng)
                    self.calls[method.__name__.strip("_")] += 1
                except grpc.RpcError as error:
                    if self.is_draining.is_set() and error.code() in _AWAY:
                        return
                    self.problems.append(f"{method.__name__}: {error.code()} {error.details()}")
                except OSError as error:
                    if self.is_draining.is_set():
                        return
                    self.problems.append(f"{method.__name__}: {error}")
                except AssertionError as error:
                    self.problems.append(f"{method.__name__}: another answer: {error}")

    def _encode(self, stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        i = rng.randrange(len(TEXTS))
        assert self._encoded[i] == stub.Encode(_request(TEXTS[i])), i

    def _batch(self, stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        picked = rng.choices(range(len(TEXTS)), k=8)
        batch = pb.EncodeBatchRequest(requests=[_request(TEXTS[i]) for i in picked])
        assert [self._encoded[i] for i in picked] == list(stub.EncodeBatch(batch).responses), picked

    def _decode(self, stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        i = rng.randrange(len(TEXTS))
        request = pb.DecodeRequest(token_ids=self._encoded[i].token_ids)
        assert self._decoded[i] == stub.Decode(request).text, i

    def _texts(self, stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        self._check_texts(stub.StreamEncode, rng)

    def _streams(self, stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        self._check_streams(stub.StreamDecode, rng)

    def _local_texts(self, _stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        with closing(Caller(self._local_socket, ENCODE)) as caller:
            self._check_texts(lambda turns: map(caller.encode, turns), rng)

    def _local_streams(self, _stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        with closing(Caller(self._local_socket, DECODE)) as caller:
            self._check_streams(lambda turns: map(caller.decode, turns), rng)

    def _local_hang_up(self, _stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        with closing(Caller(self._local_socket, DECODE)) as caller:
            turns = self._turns(rng.choices(range(len(TEXTS)), k=16))
            for turn in itertools.islice(turns, rng.randrange(3)):
                caller.decode(turn)
            last = frame(next(turns))
            caller.socket.sendall(last[: rng.randrange(len(last) + 1)])

    def _check_texts(self, ask: _Ask, rng: random.Random) -> None:
        picked = [rng.choices(range(len(TEXTS)), k=4) for _ in range(4)]
        turns = [pb.StreamEncodeRequest(requests=[_request(TEXTS[i]) for i in p]) for p in picked]
        for indices, response in zip(picked, ask(iter(turns)), strict=True):
            expected = [self._encoded[i] for i in indices]
            assert expected == [result.response for result in response.results], indices

    def _check_streams(self, ask: _Ask, rng: random.Random) -> None:
        picked = rng.choices(range(len(TEXTS)), k=16)
        texts = [""] * len(picked)
        for response in ask(self._turns(picked)):
            for at, piece in enumerate(response.texts.pieces):
                texts[at] += piece
        assert [self._decoded[i] for i in picked] == texts, picked

    def _turns(self, picked: list[int]) -> Iterator[pb.StreamDecodeRequest]:
        """Open a stream for each text, append its ids in four parts, close it."""
        ids = [list(self._encoded[i].token_ids) for i in picked]
        streams = range(len(picked))
        for part in range(4):
            pieces = [one[len(one) * part // 4 : len(one) * (part + 1) // 4] for one in ids]
            request = pb.StreamDecodeRequest(closes=streams if part == 3 else [])
            if part == 0:
                for stream in streams:
                    request.operations.add(stream_id=stream, open=pb.OpenStream())
            request.appends.stream_ids.extend(streams)
            request.appends.token_counts.extend(map(len, pieces))
            for piece in pieces:
                request.appends.token_ids.extend(piece)
            if part == 3:  # so that all results of a stream come at its place
                closes = list(request.closes)
                del request.closes[:]
                yield request
                request = pb.StreamDecodeRequest(closes=closes)
            yield request

    def _cancel_stream(self, stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        call = stub.StreamDecode(self._turns(rng.choices(range(len(TEXTS)), k=16)))
        for _ in range(rng.randrange(3)):
            next(call)
        call.cancel()

    def _cancel_encode(self, stub: pb_grpc.TokenizerServiceStub, rng: random.Random) -> None:
        batch = pb.EncodeBatchRequest(requests=[_request(TEXTS[-2])] * 20)
        call = stub.EncodeBatch.future(batch)
        time.sleep(rng.random() / 200)
        call.cancel()

    def _refused(self, stub: pb_grpc.TokenizerServiceStub, _rng: random.Random) -> None:
        try:
            stub.Encode(pb.EncodeRequest(text=b"\xff"))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
                raise
        else:
            raise AssertionError("invalid UTF-8 was taken")

    def _info(self, stub: pb_grpc.TokenizerServiceStub, _rng: random.Random) -> None:
        assert stub.GetInfo(pb.GetInfoRequest()).vocab_size > 0


def _request(text: bytes) -> pb.EncodeRequest:
    return pb.EncodeRequest(text=text, include_token_spans=True)


def drive(binary: Path, model: Path, seconds: float) -> list[str]:
    """Run the load; return what went wrong."""
    with tempfile.TemporaryDirectory() as directory, (Path(directory) / "stderr").open("w+") as log:
        address = f"unix:{directory}/s"
        local_socket = Path(directory) / "local"
        arguments = [
            *(f"--model={model}", f"--listen={address}", f"--local-socket={local_socket}"),
            f"--parent-death={os.getpid()}",
        ]
        process = subprocess.Popen([binary, *arguments], stderr=log)
        try:
            load = Load(address, local_socket) if _wait_until_ready(process, log.name) else None
            if load is None:
                return [f"the sidecar does not start: {Path(log.name).read_text()}"]
            threads = load.start()
            time.sleep(seconds)
            load.is_draining.set()
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=60)
            load.stop()
            for thread in threads:
                thread.join()
        finally:
            process.kill()
            process.wait()
        print(f"calls: {dict(load.calls)}")
        report = Path(log.name).read_text()
        problems = load.problems
        if code:
            problems.append(f"the sidecar ended with {code}")
        if "Sanitizer" in report:
            problems.append(report)
        return problems


def _wait_until_ready(process: subprocess.Popen[bytes], log: str) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if "ready on" in Path(log).read_text():
            return True
        time.sleep(0.05)
    return False


def main() -> int:
    """Drive the sidecar that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "demo" / "model")
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    problems = drive(arguments.binary, arguments.model, arguments.seconds)
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
