"""Converse over a real channel: the order of its messages, the flow of its answers, its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2

from service.domain.limits import SessionLimits
from service.rpc.server import RpcServer, build_server
from service.rpc.serving import Serving
from tests.fakes.fake_answers import FakeAnswers
from tests.fakes.fake_way import FakeWay
from tests.unit.media.open_media import until
from tests.unit.rpc.test_error_reasons import details
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    sampling_pb2,
)

MAX_MESSAGE_BYTES = 4 << 20
Request = generation_service_pb2.ConverseRequest
Response = generation_service_pb2.ConverseResponse
CANCELLED = generation_service_pb2.FINISH_REASON_CANCELLED
STOP = generation_service_pb2.FINISH_REASON_STOP


class Hall:
    """A server for sessions. The answers are the fake generator's own, or made on a fake engine."""

    def __init__(self, folder: Path, limits: SessionLimits | None = None) -> None:
        self.way = FakeWay()
        self.answers = FakeAnswers()
        self.serving = Serving(limits)
        self.serving.open(self.way.loaded(generator=self.answers))
        self.address = f"unix:{folder}/rpc.sock"
        self.server: RpcServer | None = None

    def use_the_engine(self) -> None:
        """Let the real generator answer, on a fake engine."""
        self.serving.open(self.way.loaded())

    async def start(self) -> None:
        self.server = build_server(
            self.address, self.serving, max_message_bytes=MAX_MESSAGE_BYTES, reader_timeout_s=60
        )
        await self.server.start()


class Caller:
    """One client's call: it says messages, and hears responses."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.call = generation_service_pb2_grpc.GenerationServiceStub(channel).Converse()
        self.heard: list[Response] = []

    async def say(self, *messages: Request) -> None:
        for message in messages:
            await self.call.write(message)

    async def leave(self) -> list[Response]:
        """Say no more; return all that was heard when it has come."""
        await self.call.done_writing()
        return await self.hear_all()

    async def hear(self) -> Response:
        """Hear one response; raises what the call ends with."""
        response = await self.call.read()
        if response is grpc.aio.EOF:
            raise AssertionError(await self.call.code())
        self.heard.append(response)
        return response

    async def hear_until(self, kind: str) -> Response:
        while (response := await self.hear()).event.WhichOneof("event") != kind:
            pass
        return response

    async def hear_all(self) -> list[Response]:
        while (response := await self.call.read()) is not grpc.aio.EOF:
            self.heard.append(response)
        return self.heard

    async def refusal(self) -> grpc.aio.AioRpcError:
        """Return what the call fails with."""
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await self.hear_all()
        return failure.value


@asynccontextmanager
async def channel_of(hall: Hall) -> AsyncIterator[grpc.aio.Channel]:
    """Serve while the block runs."""
    await hall.start()
    async with grpc.aio.insecure_channel(hall.address) as channel:
        yield channel
    await hall.server.stop(0)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    hall = Hall(tmp_path)
    async with channel_of(hall):
        yield hall
    assert not hall.answers.running
    assert all(media.is_closed for media in hall.way.session_media.opened)


@pytest.fixture
async def channel(hall: Hall) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(hall.address) as channel:
        yield channel


@pytest.fixture
def caller(channel: grpc.aio.Channel) -> Caller:
    return Caller(channel)


def config(**fields: object) -> Request:
    return Request(config=generation_service_pb2.GenerateRequest(**fields))


def text(words: str) -> Request:
    return Request(part=conversation_pb2.Part(text=words))


def sound(**source: object) -> conversation_pb2.Part:
    return conversation_pb2.Part(audio=media_pb2.AudioPart(source=media_pb2.MediaSource(**source)))


COMMIT = Request(commit=generation_service_pb2.Commit())
CANCEL = Request(cancel=generation_service_pb2.Cancel())
END_PART = Request(end_part=generation_service_pb2.EndPart())
BEGIN = Request(begin_part=sound(data=b""))


def opening(*messages: tuple[int, str]) -> conversation_pb2.Conversation:
    return conversation_pb2.Conversation(
        messages=[
            conversation_pb2.Message(role=role, parts=[conversation_pb2.Part(text=words)])
            for role, words in messages
        ]
    )


def reasons(responses: Iterable[Response]) -> list[tuple[int, int]]:
    """Return how each turn's answer ended."""
    return [
        (response.turn_index, response.event.output_finished.reason)
        for response in responses
        if response.event.HasField("output_finished")
    ]


def fields(error: grpc.aio.AioRpcError) -> list[str]:
    (bad,) = details(error, error_details_pb2.BadRequest)
    return [violation.field for violation in bad.field_violations]


def reason(error: grpc.aio.AioRpcError) -> str:
    (info,) = details(error, error_details_pb2.ErrorInfo)
    return info.reason


async def test_turns_are_answered_in_their_order(hall: Hall, caller: Caller) -> None:
    """Also when a shell says everything at once."""
    system = opening((conversation_pb2.ROLE_SYSTEM, "be brief"))
    await caller.say(config(conversation=system), text("hi"), COMMIT, text("and?"), COMMIT)
    kinds = [(r.turn_index, r.event.WhichOneof("event")) for r in await caller.leave()]
    answer = ["started", "text_delta", "text_delta", "output_finished", "completed"]
    assert kinds == [(turn, kind) for turn in (0, 1) for kind in answer]
    roles = [message.role for message in hall.answers.requests[1].prompt.messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert await caller.call.code() is grpc.StatusCode.OK


async def test_a_client_may_wait_for_each_answer(caller: Caller) -> None:
    await caller.say(config())
    for turn in range(3):
        await caller.say(text("hi"), COMMIT)
        assert (await caller.hear_until("completed")).turn_index == turn
    assert len(reasons(await caller.leave())) == 3


async def test_a_sound_may_come_in_pieces(hall: Hall, caller: Caller) -> None:
    """Usage names it where it stands in the conversation."""
    hall.use_the_engine()
    begin = Request(begin_part=sound(data=b"RIFF"))
    await caller.say(config(), text("what is "), begin)
    await caller.say(Request(chunk=b"one"), Request(chunk=b"two"), END_PART, COMMIT)
    started = (await caller.hear_until("started")).event.started
    assert [part.field for part in started.parts] == ["conversation.messages[0].parts[1].audio"]
    ((_, (prepared,)),) = hall.way.engine.prompts
    assert prepared.item == b"RIFFonetwo"
    await caller.leave()


async def test_a_part_that_cannot_be_decoded_is_named_where_it_stands(
    hall: Hall, caller: Caller
) -> None:
    hall.use_the_engine()
    await caller.say(config(), text("hi"), COMMIT)
    await caller.hear_until("completed")
    await caller.say(text("and "), Request(part=sound(data=b"broken")), COMMIT)
    assert fields(await caller.refusal()) == ["conversation.messages[2].parts[1].audio"]


async def test_cancel_stops_the_answer_and_not_the_session(hall: Hall, caller: Caller) -> None:
    """On the engine: what was said, its end, its usage; then the next turn."""
    hall.use_the_engine()
    hall.way.engine.hold.clear()
    await caller.say(config(), text("hi"), COMMIT)
    await caller.hear_until("text_delta")
    await caller.say(CANCEL)
    completed = (await caller.hear_until("completed")).event.completed
    assert completed.usage.completion_tokens == 2
    assert not hall.way.engine.running
    hall.way.engine.hold.set()
    await caller.say(text("and?"), COMMIT)
    assert reasons(await caller.leave()) == [(0, CANCELLED), (1, STOP)]


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([text("hi")], "part"),
        ([Request()], "message"),
        ([config(), Request()], "message"),
        ([config(), config()], "config"),
        ([config(), COMMIT], "commit"),
        ([config(), Request(chunk=b"x")], "chunk"),
        ([config(), BEGIN, Request(chunk=b"")], "chunk"),
        ([config(), BEGIN, Request(chunk=b"x" * (1 << 20) + b"x")], "chunk"),
        ([config(), BEGIN, COMMIT], "commit"),
        ([config(), END_PART], "end_part"),
        ([config(), Request(begin_part=conversation_pb2.Part(text="hi"))], "begin_part"),
        ([config(), Request(begin_part=sound(url="http://a"))], "begin_part"),
        (
            [config(), Request(part=conversation_pb2.Part())],
            "conversation.messages[0].parts[0]",
        ),
        (
            [config(), text("hi"), Request(part=sound())],
            "conversation.messages[0].parts[1].audio",
        ),
        (
            [config(), Request(part=conversation_pb2.Part(reasoning="hm"))],
            "conversation.messages[0].parts[0].reasoning",
        ),
        ([config(text="hi")], "text"),
        ([config(token_ids=generation_service_pb2.TokenIds(ids=[1]))], "token_ids"),
        ([config(media=[sound(data=b"x")])], "media"),
        ([config(sampling=sampling_pb2.SamplingParams(n=2))], "sampling.n"),
        ([config(sampling=sampling_pb2.SamplingParams(top_p=2))], "sampling.top_p"),
        (
            [
                config(
                    prompt_options=generation_service_pb2.PromptOptions(continue_final_message=True)
                )
            ],
            "prompt_options.continue_final_message",
        ),
    ],
)
async def test_a_wrong_message_ends_the_call_and_is_named(
    caller: Caller, messages: list[Request], field: str
) -> None:
    """Without waiting for the client's next one."""
    await caller.say(*messages)
    error = await caller.refusal()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields(error) == [field]


async def test_a_client_that_says_nothing_is_told_what_to_say(caller: Caller) -> None:
    await caller.call.done_writing()
    assert fields(await caller.refusal()) == ["config"]


async def test_an_unknown_model_is_not_found(caller: Caller) -> None:
    await caller.say(config(model="other"))
    assert reason(await caller.refusal()) == "MODEL_NOT_FOUND"


async def test_a_mistake_while_an_answer_runs_stops_it(hall: Hall, caller: Caller) -> None:
    hall.answers.may_go_on.clear()
    await caller.say(config(), text("hi"), COMMIT)
    await caller.hear_until("text_delta")
    await caller.say(Request(chunk=b"x"))
    assert fields(await caller.refusal()) == ["chunk"]
    assert not hall.answers.running


async def test_a_client_that_goes_away_frees_everything(
    hall: Hall, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """The fixture sees that nothing runs, and that the media are let go; it is no defect."""
    hall.answers.may_go_on.clear()
    await caller.say(config(), BEGIN, Request(chunk=b"x"), END_PART, COMMIT, BEGIN)
    await caller.hear_until("text_delta")
    caller.call.cancel()
    (media,) = hall.way.session_media.opened
    await until(lambda: media.is_closed and not hall.answers.running)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_an_idle_session_is_ended(tmp_path: Path) -> None:
    async with channel_of(Hall(tmp_path, SessionLimits(idle_s=0.01))) as channel:
        caller = Caller(channel)
        await caller.say(config(), text("hi"), COMMIT)
        error = await caller.refusal()
    assert error.code() is grpc.StatusCode.ABORTED
    assert reason(error) == "SESSION_LIMIT_EXCEEDED"
    assert reasons(caller.heard) == [(0, STOP)]


async def test_a_session_beyond_the_places_is_refused(tmp_path: Path) -> None:
    """Until one of the others has ended; those go on."""
    async with channel_of(Hall(tmp_path, SessionLimits(count=1))) as channel:
        first = Caller(channel)
        await first.say(config(), text("hi"), COMMIT)
        await first.hear_until("started")
        error = await Caller(channel).refusal()
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason(error) == "OVERLOADED"

        await first.leave()
        second = Caller(channel)
        await second.say(config(), text("hi"), COMMIT)
        assert reasons(await second.leave()) == [(0, STOP)]


async def test_a_stopping_server_ends_sessions_that_wait_and_lets_answers_end(
    hall: Hall, channel: grpc.aio.Channel
) -> None:
    waiting, talking = Caller(channel), Caller(channel)
    hall.answers.may_go_on.clear()
    await waiting.say(config(), text("hm"))
    await talking.say(config(), text("hi"), COMMIT)
    await talking.hear_until("text_delta")
    hall.serving.close()
    stopping = asyncio.create_task(hall.server.stop(30))
    assert reason(await waiting.refusal()) == "SHUTTING_DOWN"
    hall.answers.may_go_on.set()
    assert reason(await talking.refusal()) == "SHUTTING_DOWN"
    assert reasons(talking.heard) == [(0, STOP)]
    await stopping


async def test_a_stopped_server_takes_no_session(hall: Hall, caller: Caller) -> None:
    hall.serving.close()
    assert reason(await caller.refusal()) == "SHUTTING_DOWN"


async def test_a_fast_client_is_bounded_by_what_a_session_may_hold(
    hall: Hall, caller: Caller
) -> None:
    """While nobody reads its answer, a client that records on comes to the limit."""
    hall.answers.may_go_on.clear()
    await caller.say(config(), text("hi"), COMMIT)
    await caller.hear_until("text_delta")
    await caller.say(BEGIN, *[Request(chunk=b"x" * 20)] * 6)
    error = await caller.refusal()
    assert reason(error) == "LIMIT_EXCEEDED"
    assert fields(error) == ["conversation.messages[2].parts[0].audio"]
