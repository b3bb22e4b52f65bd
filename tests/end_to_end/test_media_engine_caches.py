"""vLLM's caches of media are small here and evict all the time: the answers stay right."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.end_to_end.media_files import NEW, new_picture
from tests.end_to_end.media_parts import medium
from tests.end_to_end.requests import answer, ask, start_answer, started, text
from triptych.v1 import generation_service_pb2

# A picture takes some 225 kB of the 2 MB (conftest.py): eight fit.
PICTURES = 24
REQUESTS = 60
MOST_PARTS = 4


def questions(pictures: list[bytes]) -> list[generation_service_pb2.GenerateRequest]:
    """Return requests for one to four of the pictures each, the same one sometimes twice."""
    chosen = random.Random(4)
    return [
        ask(
            *(
                medium("image", {"data": data})
                for data in chosen.choices(pictures, k=chosen.randint(1, MOST_PARTS))
            ),
            text("What is this?"),
            max_tokens=6,
        )
        for _ in range(REQUESTS)
    ]


@pytest.fixture(scope="module")
def requests() -> list[generation_service_pb2.GenerateRequest]:
    return questions([new_picture(112, 84) for _ in range(PICTURES)])


@pytest.fixture(scope="module")
def alone(generation: Any, requests: Any) -> list[str]:
    """The answers when nothing else runs."""
    return [answer(generation, request).outputs[0].text for request in requests]


def test_what_was_evicted_is_sent_again(generation: Any, requests: Any, alone: list[str]) -> None:
    """In another order, one after the other."""
    order = random.Random(5).sample(range(REQUESTS), REQUESTS)

    again = {index: answer(generation, requests[index]).outputs[0].text for index in order}

    assert [again[index] for index in range(REQUESTS)] == alone
    assert len(set(alone)) > 1


def test_requests_that_overlap_get_the_answers_that_they_get_alone(
    generation: Any, requests: Any, alone: list[str]
) -> None:
    """They are prepared and sent in any order, sixty at once."""
    calls = [start_answer(generation, request) for request in requests]

    assert [call.result().outputs[0].text for call in calls] == alone


def test_cancelled_requests_leave_nothing_wrong_behind(
    generation: Any, requests: Any, alone: list[str]
) -> None:
    """Every second one is given up at some point before its end; the others are right."""
    calls = [start_answer(generation, request) for request in requests]
    for call in calls[::2]:
        call.cancel()
    assert [call.result().outputs[0].text for call in calls[1::2]] == alone[1::2]

    again = [start_answer(generation, request) for request in requests]

    assert [call.result().outputs[0].text for call in again] == alone


@pytest.mark.parametrize("kind", NEW)
def test_a_medium_is_answered_after_a_request_for_it_was_cancelled_at_its_start(
    generation: Any, kind: str
) -> None:
    """Its prompt was made; whether the engine had it yet makes no difference."""
    request = ask(medium(kind, {"data": NEW[kind]()}), text("?"), max_tokens=6)
    tokens = started(generation, request).prompt_tokens

    whole = answer(generation, request)

    assert whole.started.prompt_tokens == tokens
    assert whole.outputs[0].text == answer(generation, request).outputs[0].text


def test_a_repeated_prompt_is_found_in_the_prefix_cache(generation: Any) -> None:
    """Media count by their content, also for the engine's key-value cache."""
    parts = [medium("image", {"data": new_picture()}) for _ in range(MOST_PARTS)]
    first = answer(generation, ask(*parts, text("red " * 100), max_tokens=1))
    same = answer(generation, ask(*parts, text("red " * 100), max_tokens=1))
    others = [medium("image", {"data": new_picture()}) for _ in range(MOST_PARTS)]
    different = answer(generation, ask(*others, text("red " * 100), max_tokens=1))

    assert first.started.prompt_tokens == different.started.prompt_tokens
    assert same.completed.usage.cached_tokens > different.completed.usage.cached_tokens
