"""A conversation has so many parts that turning it into a prompt holds nobody up for long."""

from __future__ import annotations

import pytest

from service.errors import InvalidRequestError
from service.rpc.requests import to_generation_request
from triptych.v1 import conversation_pb2, generation_service_pb2

LIMIT = 50_000


def request_of(*sizes: int) -> generation_service_pb2.GenerateRequest:
    """Return a request of messages with so many parts each."""
    part = conversation_pb2.Part(text="a")
    messages = [
        conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=[part] * size)
        for size in sizes
    ]
    return generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=messages)
    )


@pytest.mark.parametrize("sizes", [[1] * (LIMIT + 1), [LIMIT, 1], [LIMIT + 1]])
def test_too_many_parts_are_refused_unseen(sizes: list[int]) -> None:
    """One violation, however many parts are wrong in themselves."""
    request = request_of(*sizes)
    request.conversation.messages[0].parts[0].Clear()
    with pytest.raises(InvalidRequestError) as refusal:
        to_generation_request(request)

    assert [
        ("conversation.messages", "must have at most 50000 messages, and parts in them")
    ] == refusal.value.violations


def test_as_many_as_are_allowed_are_taken() -> None:
    prompt = to_generation_request(request_of(LIMIT - 1, 1)).prompt

    assert [LIMIT - 1, 1] == [len(message.parts) for message in prompt.messages]
