"""The client keeps the promises of the port, gathers streams, and survives the sidecar's death."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from service.errors import TokenizerUnavailableError
from service.ports import TokenStream
from service.tokenizer.frame_call import FrameCall
from service.tokenizer.sidecar_client import SidecarClient
from service.tokenizer.sidecar_process import SidecarProcess, SidecarTimings
from tests.contract.tokenizer_contract import TokenizerContract
from tests.unit.tokenizer.frame_caller import frame
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb


def record_messages(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the list into which all messages of long-lived calls go from now on."""
    sent: list[bytes] = []
    send = FrameCall.send

    def record(call: FrameCall, message: bytes) -> None:
        sent.append(message)
        send(call, message)

    monkeypatch.setattr(FrameCall, "send", record)
    return sent


async def append_forever(stream: TokenStream, token_ids: list[int]) -> None:
    """Decode the same ids until it fails."""
    while True:
        await stream.append(token_ids)


FAST = SidecarTimings(first_backoff_s=0.01, last_backoff_s=0.02)


@pytest.fixture
async def process(
    binary: Path, trained_path: Callable[[str], Path]
) -> AsyncIterator[SidecarProcess]:
    """A supervised sidecar."""
    process = SidecarProcess(binary, trained_path("llama3").parent, timings=FAST)
    await process.start()
    yield process
    await process.stop()


@pytest.fixture
async def tokenizer(process: SidecarProcess) -> AsyncIterator[SidecarClient]:
    """A client of the supervised sidecar."""
    client = SidecarClient(process.address, local_socket=process.local_socket)
    yield client
    await client.close()


class TestSidecarClient(TokenizerContract):
    """The contract, over a real sidecar."""


async def test_a_turn_is_one_message(
    tokenizer: SidecarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that happens in one turn of the loop travels in one message."""
    streams = [tokenizer.open_stream() for _ in range(50)]
    ids = await tokenizer.encode("word")
    await tokenizer.open_stream().append([])
    sent = record_messages(monkeypatch)

    results = await asyncio.gather(*(stream.append(ids) for stream in streams))

    assert ["word"] * 50 == [result.text for result in results]
    request = pb.StreamDecodeRequest.FromString(*sent)
    assert (50, 50) == (len(request.operations), len(request.appends.stream_ids))


async def test_texts_of_a_turn_are_one_message(
    tokenizer: SidecarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts, too; but a long text, which would hold up the others, travels alone."""
    texts = [f"text {i}" for i in range(50)]
    long_text = "word " * 10_000
    await tokenizer.encode("connected")
    sent = record_messages(monkeypatch)

    *encoded, of_long = await asyncio.gather(*map(tokenizer.encode, [*texts, long_text]))

    assert 50 == len(pb.StreamEncodeRequest.FromString(*sent).requests)
    assert texts == await asyncio.gather(*map(tokenizer.decode, encoded))
    assert long_text == await tokenizer.decode(of_long)


async def test_a_cancelled_append_disturbs_nobody(tokenizer: SidecarClient) -> None:
    """A waiter that is cancelled leaves the results of the others in place."""
    ids = await tokenizer.encode("word")
    streams = [tokenizer.open_stream() for _ in range(3)]
    tasks = [asyncio.ensure_future(stream.append(ids)) for stream in streams]
    await asyncio.sleep(0)
    tasks[1].cancel()

    first, second, third = await asyncio.gather(*tasks, return_exceptions=True)

    assert ("word", "word") == (first.text, third.text)
    assert isinstance(second, asyncio.CancelledError)
    assert "word" == (await streams[0].append(ids)).text


async def test_a_refused_append_disturbs_nobody_in_its_turn(tokenizer: SidecarClient) -> None:
    """What can be no ids fails alone; appends before and behind it have their own texts."""
    ids = {word: await tokenizer.encode(word) for word in ("one", "two", "three")}
    streams = [tokenizer.open_stream() for _ in range(5)]
    appended = [ids["one"], [5, 2**32], ids["two"], [None], ids["three"]]
    for _ in range(2):  # streams that open in this turn, and open ones
        one, big, two, none, three = await asyncio.gather(
            *(s.append(i) for s, i in zip(streams, appended, strict=True)), return_exceptions=True
        )

        assert ("one", "two", "three") == (one.text, two.text, three.text)
        assert ["token_ids[1]", "token_ids[0]"] == [e.violations[0][0] for e in (big, none)]


async def test_calls_fail_and_recover_when_the_sidecar_is_killed(
    process: SidecarProcess, tokenizer: SidecarClient
) -> None:
    """After kill -9 streams fail as unavailable; a restarted sidecar answers the next call."""
    ids = await tokenizer.encode("word")
    stream = tokenizer.open_stream()
    assert "word" == (await stream.append(ids)).text
    killed = process.pid
    assert killed is not None

    os.kill(killed, signal.SIGKILL)
    with pytest.raises(TokenizerUnavailableError):
        await append_forever(stream, ids)
    stream.close()

    assert ids == await tokenizer.encode("word")
    assert "word" == (await tokenizer.open_stream().append(ids)).text
    assert killed != process.pid


async def test_pending_streams_fail_when_the_sidecar_is_killed_and_other_calls_ask_the_next(
    process: SidecarProcess, tokenizer: SidecarClient
) -> None:
    """What a stream's sidecar knew is lost; a whole text can be asked for again."""
    await tokenizer.encode("connected now")
    stream = tokenizer.open_stream()
    await stream.append([97])
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    calls = (tokenizer.encode("a"), tokenizer.decode([97]), stream.append([97]))
    tasks = [asyncio.ensure_future(call) for call in calls]
    _, pending = await asyncio.wait(tasks, timeout=0.05)  # none can be answered; all are sent
    assert len(tasks) == len(pending)

    os.kill(process.pid, signal.SIGKILL)

    ids, text, failure = await asyncio.gather(*tasks, return_exceptions=True)
    assert ids == await tokenizer.encode("a")
    assert text == await tokenizer.decode([97])
    assert isinstance(failure, TokenizerUnavailableError)


async def test_nobody_at_the_address(tmp_path: Path) -> None:
    """Without a sidecar a call fails as unavailable after the connect timeout."""
    client = SidecarClient(
        f"unix:{tmp_path / 'none'}", local_socket=tmp_path / "no", connect_timeout_s=0.05
    )

    with pytest.raises(TokenizerUnavailableError):
        await client.encode("a")
    with pytest.raises(TokenizerUnavailableError):
        await client.open_stream().append([1])
    await client.close()


@pytest.mark.parametrize("answer", [b"\xff", b""])
async def test_an_answer_that_does_not_fit_fails_all_who_wait(
    tmp_path: Path, answer: bytes
) -> None:
    """A sidecar of another version, say: what it sends is no message, or has no text."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while size := await reader.readexactly(4):
                message = await reader.readexactly(int.from_bytes(size, "big"))
                writer.write(frame(b"" if message.startswith(b"/") else answer))
        writer.close()

    server = await asyncio.start_unix_server(serve, tmp_path / "local")
    client = SidecarClient(f"unix:{tmp_path / 'none'}", local_socket=tmp_path / "local")
    streams = [client.open_stream() for _ in range(2)]

    calls = [client.encode("a"), *(stream.append([97]) for stream in streams)]
    async with asyncio.timeout(10):  # where it broke, they waited for ever
        failures = await asyncio.gather(*calls, return_exceptions=True)

    assert [TokenizerUnavailableError] * 3 == list(map(type, failures))
    await client.close()
    server.close()


async def test_closing_fails_what_waits(tokenizer: SidecarClient) -> None:
    """Closing the client ends its streams."""
    stream = tokenizer.open_stream()
    await stream.append([97])
    await tokenizer.close()

    with pytest.raises(TokenizerUnavailableError):
        await stream.append([97])


async def test_describe(tokenizer: SidecarClient) -> None:
    """The client tells what is loaded."""
    info = await tokenizer.describe()

    assert ("BPE", info.id_limit) == (info.model_type, info.vocab_size)
    assert "<|begin|>" == info.added_tokens[0].content
    assert info.added_tokens[0].special
