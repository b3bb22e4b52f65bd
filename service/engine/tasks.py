"""What the loaded model does, of all that vLLM's models do."""

from __future__ import annotations

import asyncio

from vllm.v1.engine.async_llm import AsyncLLM

from service.domain.model import Task
from service.errors import StartupError

# vLLM's name for what a model like Whisper does: it generates, but only what a sound says.
_TRANSCRIPTION = "transcription"


def find_tasks(llm: AsyncLLM, loop: asyncio.AbstractEventLoop) -> tuple[Task, ...]:
    """Ask the engine; raises StartupError for a model that does nothing that is served here.

    Call it in a thread while `loop`, the engine's, runs.
    """
    supported = asyncio.run_coroutine_threadsafe(llm.get_supported_tasks(), loop).result()
    offered = {Task.GENERATE if task == _TRANSCRIPTION else task for task in supported}
    tasks = tuple(task for task in Task if task in offered)
    if not tasks:
        raise StartupError(
            f"the model is for {', '.join(supported) or 'nothing'}, which is not served; answers "
            "are, and vectors: `--runner pooling --convert embed` makes these with most models"
        )
    return tasks
