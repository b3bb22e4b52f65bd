"""Sessions, end to end: real sounds in pieces, a real engine with its prefix cache, real limits."""

from __future__ import annotations

import base64
import itertools
import json
import queue
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from service.domain.limits import SessionLimits
from tests.end_to_end.media_files import new_picture, new_sound
from tests.end_to_end.media_state import held_bytes
from tests.end_to_end.requests import Refusal, answer, image, joined_text, text
from tests.end_to_end.test_grpcurl import grpcurl
from triptych.v1 import conversation_pb2, generation_service_pb2, media_pb2, sampling_pb2

Request = generation_service_pb2.ConverseRequest
CANCELLED = generation_service_pb2.FINISH_REASON_CANCELLED
COMMIT = Request(commit=generation_service_pb2.Commit())
PIECE_BYTES = 4096
# More than a block of the prefix cache takes.
LONG_WORDS = "red circle " * 120
ENDLESS_TOKENS = 1000


class Talk:
    """One session; `hear` gives the events of one turn."""

    def __init__(self, generation: Any, **sampling: object) -> None:
        self._messages: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self.call = generation.Converse(iter(self._messages.get, None))
        self.sampling = sampling_pb2.SamplingParams(temperature=0.0, **sampling)
        self.say(Request(config=generation_service_pb2.GenerateRequest(sampling=self.sampling)))

    def say(self, *messages: Request) -> None:
        for message in messages:
            self._messages.put(message)

    def ask(self, *parts: conversation_pb2.Part) -> None:
        """Say a whole turn."""
        self.say(*(Request(part=part) for part in parts), COMMIT)

    def hear(self) -> list[generation_service_pb2.GenerateResponse]:
        """Return the events of the turn that is answered next."""
        events: list[generation_service_pb2.GenerateResponse] = []
        while not events or not events[-1].HasField("completed"):
            events.append(next(self.call).event)
        return events

    def leave(self) -> list[generation_service_pb2.ConverseResponse]:
        """Say no more; return what still came."""
        self._messages.put(None)
        return list(self.call)

    def stop(self) -> None:
        """End it, however far it is."""
        self._messages.put(None)
        self.call.cancel()


@pytest.fixture
def talk(generation: Any) -> Iterator[Talk]:
    talk = Talk(generation, max_tokens=8)
    yield talk
    talk.stop()


def sound_in_pieces(data: bytes) -> Iterator[Request]:
    """Say a sound as one does who records it."""
    nothing_yet = media_pb2.AudioPart(source=media_pb2.MediaSource(data=b""))
    yield Request(begin_part=conversation_pb2.Part(audio=nothing_yet))
    for start in range(0, len(data), PIECE_BYTES):
        yield Request(chunk=data[start : start + PIECE_BYTES])
    yield Request(end_part=generation_service_pb2.EndPart())


def cancelled(talk: Talk) -> list[generation_service_pb2.GenerateResponse]:
    """Cancel the running answer after its first words; return all that came of it."""
    first = list(itertools.islice(talk.call, 2))
    talk.say(Request(cancel=generation_service_pb2.Cancel()))
    return [response.event for response in first] + talk.hear()


def test_three_turns_about_a_sound_that_was_recorded(
    server: Any, generation: Any, talk: Talk
) -> None:
    """It is prepared once, and what was read before is found in the prefix cache."""
    sound = new_sound(2.0)
    held = held_bytes(server)

    talk.say(*sound_in_pieces(sound))
    talk.ask(text(LONG_WORDS + "What do you hear?"))
    first = talk.hear()
    talk.ask(text("How long is it?"))
    second = talk.hear()
    talk.ask(text("Is it loud?"))
    third = talk.hear()

    assert held_bytes(server) == held + len(sound)
    assert talk.leave() == []
    server.wait_until(lambda: held_bytes(server) == held)
    turns = [events[-1].completed for events in (first, second, third)]
    assert [part.field for part in third[0].started.parts] == [
        "conversation.messages[0].parts[0].audio"
    ]
    assert [turn.timings.cached_media_parts for turn in turns] == [0, 1, 1]
    assert [turn.timings.HasField("decode") for turn in turns] == [True, False, False]
    assert turns[1].usage.cached_tokens > turns[1].usage.prompt_audio_tokens
    assert turns[2].usage.cached_tokens >= turns[1].usage.cached_tokens
    assert _same_by_generate(generation, talk, sound, first, second) == joined_text(third)


def _same_by_generate(generation: Any, talk: Talk, sound: bytes, *turns: Any) -> str:
    """Ask for the last answer with the whole conversation in one request."""
    role = conversation_pb2.Role
    audio = conversation_pb2.Part(
        audio=media_pb2.AudioPart(source=media_pb2.MediaSource(data=sound))
    )
    said = [
        (role.ROLE_USER, [audio, text(LONG_WORDS + "What do you hear?")]),
        (role.ROLE_ASSISTANT, [text(joined_text(turns[0]))]),
        (role.ROLE_USER, [text("How long is it?")]),
        (role.ROLE_ASSISTANT, [text(joined_text(turns[1]))]),
        (role.ROLE_USER, [text("Is it loud?")]),
    ]
    messages = [conversation_pb2.Message(role=who, parts=parts) for who, parts in said]
    request = generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=messages), sampling=talk.sampling
    )
    return answer(generation, request).outputs[0].text


def test_cancel_frees_the_engine_and_the_session_goes_on(server: Any, generation: Any) -> None:
    """What was said until then is in the conversation: the next prompt is longer by it."""
    talk = Talk(generation, max_tokens=ENDLESS_TOKENS, ignore_eos=True)
    talk.ask(text("Count from one to twenty."))

    events = cancelled(talk)
    server.wait_until(lambda: not server.unfinished_requests())
    talk.ask(text("And on."))
    again = cancelled(talk)

    talk.stop()
    usage = events[-1].completed.usage
    assert events[-2].output_finished.reason == CANCELLED
    assert 0 < usage.completion_tokens < ENDLESS_TOKENS
    assert joined_text(events)
    assert again[0].started.prompt_tokens > usage.prompt_tokens + 1
    assert again[-2].output_finished.reason == CANCELLED


def test_the_next_turn_may_be_said_while_an_answer_is_read(talk: Talk) -> None:
    """Everything at once, as a shell says it; then the client's last word."""
    for words in ("Hello", "What is red?", "What is blue?"):
        talk.ask(text(words))

    ends = [r.turn_index for r in talk.leave() if r.event.HasField("completed")]

    assert ends == [0, 1, 2]


def test_a_shell_holds_a_session(server: Any) -> None:
    """One JSON message after the other; bytes in base64."""
    sound = base64.b64encode(new_sound()).decode()
    messages = [
        {"config": {"sampling": {"max_tokens": 4}}},
        {"begin_part": {"audio": {"source": {"data": ""}}}},
        {"chunk": sound},
        {"end_part": {}},
        {"part": {"text": "What do you hear?"}},
        {"commit": {}},
        {"part": {"text": "How long is it?"}},
        {"commit": {}},
    ]

    printed = grpcurl(
        server,
        "triptych.v1.GenerationService/Converse",
        data="\n".join(map(json.dumps, messages)),
    )

    assert printed.count('"completed"') == 2
    assert '"cached_media_parts": 1' in printed


def test_a_client_that_goes_away_leaves_nothing(server: Any, generation: Any) -> None:
    """In the middle of an answer, with a picture kept and another half sent."""
    held = held_bytes(server)
    talk = Talk(generation, max_tokens=ENDLESS_TOKENS, ignore_eos=True)
    talk.ask(image(new_picture()), text("What is this?"))
    list(itertools.islice(talk.call, 2))
    talk.say(*list(sound_in_pieces(new_sound()))[:-1])
    server.wait_until(lambda: held_bytes(server) > held)

    talk.stop()

    server.wait_until(lambda: not server.unfinished_requests())
    server.wait_until(lambda: held_bytes(server) == held)


def test_an_idle_session_is_ended(
    server: Any, generation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its answers, which took what they took."""
    serving = server.application._serving
    monkeypatch.setattr(serving, "session_limits", SessionLimits(idle_s=0.2))
    talk = Talk(generation, max_tokens=2)
    talk.ask(text("Hello"))
    heard = talk.hear()

    with pytest.raises(grpc.RpcError) as failure:
        next(talk.call)

    talk.stop()
    assert heard[-1].HasField("completed")
    refusal = Refusal(failure.value)
    assert refusal.code is grpc.StatusCode.ABORTED
    assert refusal.info.reason == "SESSION_LIMIT_EXCEEDED"
    assert refusal.info.metadata["limit"] == "session_idle_seconds"


def test_a_picture_that_is_none_ends_the_session_and_is_named(talk: Talk) -> None:
    """By where it stands in the conversation until then."""
    talk.ask(text("Hello"))
    talk.hear()
    talk.ask(text("What is this?"), image(b"no picture"))

    with pytest.raises(grpc.RpcError) as failure:
        talk.hear()

    assert Refusal(failure.value).fields == ["conversation.messages[2].parts[1].image"]
