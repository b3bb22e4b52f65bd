"""The PromptRenderer port: renders a usual conversation at once, a large one in a thread.

One thread, so that several large conversations take the interpreter from the others no more than
one does. Usual conversations never wait for it.

Tested by tests/unit/prompt/test_paced_renderer.py.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from service.domain.conversation import Conversation, PromptOptions, TextPart
from service.domain.model import PromptFormat
from service.domain.prompt import RenderedPrompt
from service.prompt.places import FamilyPlaces
from service.prompt.renderer import TemplateRenderer

# What is rendered in less than a millisecond.
_MAX_PARTS = 128
_MAX_CHARACTERS = 64 << 10


class PacedRenderer:
    """Keeps the event loop free of what takes long."""

    def __init__(self, renderer: TemplateRenderer) -> None:
        self._renderer = renderer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")

    @property
    def prompt_format(self) -> PromptFormat:
        """Which format is used, and why."""
        return self._renderer.prompt_format

    @property
    def places(self) -> FamilyPlaces:
        """Where media stand in prompts of that format."""
        return self._renderer.places

    async def render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        """Render, remembering what the caller wrote; raises TemplateRefusedError."""
        if _is_small(conversation):
            return self._renderer.render(conversation, options)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, self._renderer.render, conversation, options
        )


def _is_small(conversation: Conversation) -> bool:
    parts = characters = 0
    for message in conversation.messages:
        parts += len(message.parts)
        characters += sum(len(part.text) for part in message.parts if isinstance(part, TextPart))
        if parts > _MAX_PARTS or characters > _MAX_CHARACTERS:
            return False
    return True
