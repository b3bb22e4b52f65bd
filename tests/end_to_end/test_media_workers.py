"""A media worker that is killed, busy or given up harms nothing but its own request."""

from __future__ import annotations

import os
import signal
from typing import Any

import grpc
import psutil
import pytest

from tests.end_to_end.media_files import NEW, new_clip, new_picture
from tests.end_to_end.media_parts import medium
from tests.end_to_end.media_state import (
    busy_worker,
    fork_server,
    held_bytes,
    metric,
    worker_has_task,
    worker_pid,
)
from tests.end_to_end.requests import Refusal, answer, ask, start_answer, text

FIELD = "conversation.messages[0].parts[0]"


@pytest.mark.parametrize("kind", NEW)
def test_a_killed_worker_fails_its_own_request_alone(
    server: Any, generation: Any, kind: str
) -> None:
    """The one that waits for it is answered by the next worker, and one of text at once."""
    lost = metric(server, "triptych_media_workers_ended_total", reason="lost")
    with busy_worker(server) as pid:
        doomed = start_answer(generation, ask(medium(kind, {"data": NEW[kind]()}), max_tokens=1))
        server.wait_until(lambda: worker_has_task(server))
        data = new_picture()
        waiting = start_answer(generation, ask(medium("image", {"data": data}), max_tokens=1))
        server.wait_until(lambda: held_bytes(server) > len(data))
        os.kill(pid, signal.SIGKILL)

        with pytest.raises(grpc.RpcError) as failure:
            doomed.result()
        assert answer(generation, ask(text("Hello"), max_tokens=4)).outputs[0].text

    refusal = Refusal(failure.value)
    assert refusal.code is grpc.StatusCode.UNAVAILABLE
    assert refusal.info.reason == "MEDIA_WORKER_LOST"
    assert refusal.info.metadata["field"] == f"{FIELD}.{kind}"
    assert refusal.retry_after_s > 0
    assert len(waiting.result().started.parts) == 1
    assert metric(server, "triptych_media_workers_ended_total", reason="lost") == lost + 1
    assert held_bytes(server) == 0


def test_text_never_waits_for_a_worker(server: Any, generation: Any) -> None:
    """Nine of them are answered while media wait for the only worker, which does nothing."""
    with busy_worker(server):
        waiting = [
            start_answer(generation, ask(medium("video", {"data": new_clip()}), max_tokens=1))
            for _ in range(3)
        ]
        server.wait_until(lambda: worker_has_task(server))

        formed = ask(text("Hello"), max_tokens=8)
        formed.structured_output.regex = "[a-z]+, new for the server"
        requests = [formed, *(ask(text("Hello"), max_tokens=8) for _ in range(8))]
        texts = [start_answer(generation, request) for request in requests]

        assert all(one.result().outputs[0].text for one in texts)
        assert not any(call.done() for call in waiting)
    assert all(call.result().started.parts for call in waiting)


def test_known_media_never_wait_for_a_worker(server: Any, generation: Any) -> None:
    """What is prepared is found without one."""
    request = ask(medium("image", {"data": new_picture()}), max_tokens=1)
    answer(generation, request)

    with busy_worker(server):
        new = start_answer(generation, ask(medium("image", {"data": new_picture()}), max_tokens=1))
        server.wait_until(lambda: worker_has_task(server))

        assert answer(generation, request).completed.timings.cached_media_parts == 1
    assert new.result().completed.timings.cached_media_parts == 0


def test_a_cancelled_request_frees_worker_and_bytes(server: Any, generation: Any) -> None:
    """The worker is in the middle of its video, another request waits: both are given up."""
    answer(generation, ask(medium("video", {"data": new_clip()}), max_tokens=1))
    descriptors = psutil.Process().num_fds()

    with busy_worker(server) as pid:
        decoding = start_answer(generation, ask(medium("video", {"data": new_clip()})))
        server.wait_until(lambda: worker_has_task(server))
        held = held_bytes(server)
        waiting = start_answer(generation, ask(medium("image", {"data": new_picture()})))
        server.wait_until(lambda: held_bytes(server) > held)
        decoding.cancel()
        waiting.cancel()
        server.wait_until(lambda: held_bytes(server) == 0)
        server.wait_until(lambda: not psutil.pid_exists(pid))

    assert worker_pid(server) != pid
    answer(generation, ask(medium("image", {"data": new_picture()}), max_tokens=1))
    server.wait_until(lambda: psutil.Process().num_fds() <= descriptors)


def test_a_video_that_is_being_decoded_is_given_up(server: Any, generation: Any) -> None:
    """Decoding it would take seconds; the worker that did has used processor time for it."""
    slow = medium("video", {"data": new_clip(600, 640, 480)}, num_frames=300)
    pid = worker_pid(server)
    used_s = psutil.Process(pid).cpu_times().user
    call = start_answer(generation, ask(slow))
    server.wait_until(lambda: psutil.Process(pid).cpu_times().user > used_s + 0.2)

    call.cancel()

    server.wait_until(lambda: held_bytes(server) == 0)
    server.wait_until(lambda: not psutil.pid_exists(pid))
    answer(generation, ask(medium("image", {"data": new_picture()}), max_tokens=1))


def test_a_request_that_waits_for_an_equal_one_goes_on_when_that_is_cancelled(
    server: Any, generation: Any
) -> None:
    """It then does the work itself."""
    data = new_picture()
    request = ask(medium("image", {"data": data}), max_tokens=4)
    with busy_worker(server):
        first = start_answer(generation, request)
        server.wait_until(lambda: worker_has_task(server))
        second = start_answer(generation, request)
        server.wait_until(lambda: held_bytes(server) == 2 * len(data))
        first.cancel()

        whole = second.result()

    assert whole.completed.timings.cached_media_parts == 0
    assert whole.outputs[0].text


def test_media_wait_for_a_killed_fork_server_and_text_does_not(
    server: Any, generation: Any
) -> None:
    """It comes back by itself, with everything loaded anew."""
    killed = fork_server(server)
    killed.kill()
    server.wait_until(lambda: not server.application._media._workers._workers)

    waiting = start_answer(generation, ask(medium("image", {"data": new_picture()}), max_tokens=4))
    assert answer(generation, ask(text("Hello"), max_tokens=4)).outputs[0].text
    assert not waiting.done()

    assert waiting.result().outputs[0].text
    assert fork_server(server).pid != killed.pid
    assert held_bytes(server) == 0
