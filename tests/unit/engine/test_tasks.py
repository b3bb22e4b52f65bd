"""What the engine says that its model does, and what is served of it."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.model import Task
from service.engine.tasks import find_tasks
from service.errors import StartupError


class FakeLlm:
    """Does these tasks of vLLM's."""

    def __init__(self, *tasks: str) -> None:
        self._tasks = tasks

    async def get_supported_tasks(self) -> tuple[str, ...]:
        return self._tasks


async def find(*tasks: str) -> tuple[Task, ...]:
    """Ask from a thread, as the start of an engine does."""
    return await asyncio.to_thread(find_tasks, FakeLlm(*tasks), asyncio.get_running_loop())


@pytest.mark.parametrize(
    ("of_vllm", "served"),
    [
        (("generate",), (Task.GENERATE,)),
        (("generate", "transcription"), (Task.GENERATE,)),
        (("transcription",), (Task.GENERATE,)),  # Whisper
        (("token_embed", "embed"), (Task.EMBED,)),
    ],
)
async def test_the_tasks_that_are_served_are_found(
    of_vllm: tuple[str, ...], served: tuple[Task, ...]
) -> None:
    assert await find(*of_vllm) == served


@pytest.mark.parametrize("of_vllm", [("classify", "token_classify"), ()])
async def test_a_model_that_does_nothing_of_it_is_refused(of_vllm: tuple[str, ...]) -> None:
    """Every call to such a server would fail."""
    with pytest.raises(StartupError, match="--convert embed"):
        await find(*of_vllm)
