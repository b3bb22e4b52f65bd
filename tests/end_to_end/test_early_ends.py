"""Answers that end before the model ends them: for their client, or for its deadline."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest

from service.domain.conversation import RawText
from service.domain.events import EngineDelta, GenerationRequest
from service.domain.sampling import Sampling
from tests.end_to_end.media_files import new_picture
from tests.end_to_end.media_parts import medium
from tests.end_to_end.media_state import (
    busy_worker,
    held_bytes,
    metric,
    requests_in,
    worker_has_task,
)
from tests.end_to_end.requests import Refusal, ask, joined_text, kinds, start_answer, text
from triptych.v1 import generation_service_pb2

STAGES = (
    "preparing_prompt",
    "fetching_media",
    "preparing_media",
    "waiting_for_admission",
    "waiting_for_engine",
    "writing",
)
MAX_N = 64  # of one request
# Minutes of work.
ENDLESS = {"ignore_eos": True, "max_tokens": 1900, "n": 32, "temperature": 1.0}


def is_idle(server: Any) -> bool:
    """Tell whether nothing of any request is left: in the engine, in line, or in the counters."""
    admission = server.application._admission
    return (
        server.unfinished_requests() == 0
        and (admission.running, admission.waiting) == (0, 0)
        and not any(requests_in(server, stage) for stage in STAGES)
        and held_bytes(server) == 0
    )


def test_a_cancelled_answer_frees_the_engine(server: Any, generation: Any) -> None:
    """Seen in the engine's own count, and in ours."""
    admitted = metric(server, "triptych_requests_admitted_total")
    call = generation.Generate(ask(text("Hello"), **ENDLESS))
    assert kinds([next(call), next(call)]) == ["started", "text_delta"]
    assert server.application._admission.running == ENDLESS["n"]
    assert metric(server, "triptych_engine_requests") == server.unfinished_requests() > 0
    assert requests_in(server, "writing") == 1

    call.cancel()

    server.wait_until(lambda: is_idle(server))
    assert metric(server, "triptych_requests_admitted_total") == admitted + 1


def test_a_request_is_given_up_while_its_medium_is_fetched(
    server: Any, generation: Any, web: Any
) -> None:
    """The host has not answered."""
    with web.held("never.png") as url:
        call = start_answer(generation, ask(medium("image", {"url": url})))
        server.wait_until(lambda: requests_in(server, "fetching_media") == 1)

        call.cancel()

        server.wait_until(lambda: is_idle(server))


def test_a_request_is_given_up_while_its_medium_is_decoded(server: Any, generation: Any) -> None:
    """The worker hangs."""
    with busy_worker(server):
        call = start_answer(generation, ask(medium("image", {"data": new_picture()})))
        server.wait_until(lambda: worker_has_task(server))
        assert requests_in(server, "preparing_media") == 1

        call.cancel()

        server.wait_until(lambda: is_idle(server))


def test_a_request_is_given_up_while_it_waits_for_its_turn(server: Any, generation: Any) -> None:
    """All slots are taken."""
    admission = server.application._admission
    slots = admission.limits.max_running
    shares = [min(MAX_N, slots - start) for start in range(0, slots, MAX_N)]
    running = [generation.Generate(ask(text("Hello"), **{**ENDLESS, "n": n})) for n in shares]
    for call in running:
        next(call)
    waiting = start_answer(generation, ask(text("Hello")))
    server.wait_until(lambda: requests_in(server, "waiting_for_admission") == 1)

    waiting.cancel()

    server.wait_until(lambda: admission.waiting == 0)
    assert admission.running == slots
    for call in running:
        call.cancel()
    server.wait_until(lambda: is_idle(server))


def test_what_was_written_arrives_before_the_deadline(server: Any, generation: Any) -> None:
    """All outputs end for it, with their texts and the usage."""
    events = list(generation.Generate(ask(text("Hello"), **ENDLESS), timeout=8))

    finishes = [one.output_finished for one in events if one.HasField("output_finished")]
    assert {one.reason for one in finishes} == {generation_service_pb2.FINISH_REASON_DEADLINE}
    assert sorted(one.output_index for one in finishes) == [*range(ENDLESS["n"])]
    assert kinds(events)[-1] == "completed"
    usage = events[-1].completed.usage
    assert events[-1].completed.timings.HasField("prefill")
    assert 0 < usage.completion_tokens < ENDLESS["n"] * ENDLESS["max_tokens"]
    assert joined_text(events)
    server.wait_until(lambda: is_idle(server))


def test_a_medium_that_does_not_come_ends_with_the_stage(
    server: Any, generation: Any, web: Any
) -> None:
    """The status is ours, and arrives."""
    with web.held("late.png") as url, pytest.raises(grpc.RpcError) as failure:
        list(generation.Generate(ask(medium("image", {"url": url})), timeout=3))

    refusal = Refusal(failure.value)
    assert refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert refusal.info.reason == "DEADLINE_EXCEEDED"
    assert refusal.info.metadata["stage"] == "fetching_media"
    server.wait_until(lambda: is_idle(server))


def test_the_engine_joins_its_steps_while_nobody_takes_them(server: Any) -> None:
    """So a reader that is slow costs no more memory than its whole answer."""
    application = server.application
    request = GenerationRequest("", RawText("Hello"))
    sampling = Sampling(max_tokens=100, ignore_eos=True, temperature=0.0)

    async def read_first() -> tuple[AsyncGenerator[EngineDelta, None], EngineDelta]:
        made = await application._serving.loaded().generator.prompter.prompt(request)
        stream = application.engine.generate("slow", made.prompt, sampling)
        return stream, await anext(stream)

    async def read_rest(stream: AsyncGenerator[EngineDelta, None]) -> list[EngineDelta]:
        return [delta async for delta in stream]

    stream, first = server.run(read_first())
    server.wait_until(lambda: server.unfinished_requests() == 0)
    (rest,) = server.run(read_rest(stream))

    assert len(first.token_ids) + len(rest.token_ids) == 100
    assert rest.finish_reason == "length"
