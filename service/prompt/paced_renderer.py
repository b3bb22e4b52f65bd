"""The PromptRenderer port: renders a usual conversation at once, what takes long in a thread.

At once means on the event loop, where nothing else goes on meanwhile: so only small conversations
are tried there, and only for a twentieth of a second. A template that needs longer gets the
thread and its time; as long as it is slow, all that it renders goes there. There is one thread:
several that render take the interpreter from the others no more than one does.

Tested by tests/unit/prompt/test_paced_renderer.py.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from service.domain.conversation import (
    Conversation,
    Part,
    PromptOptions,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from service.domain.model import PromptFormat
from service.domain.prompt import RenderedPrompt
from service.errors import TemplateRefusedError
from service.prompt.places import FamilyPlaces
from service.prompt.render_budget import TemplateLimitError
from service.prompt.renderer import TemplateRenderer

# What is rendered in about a millisecond.
_MAX_PARTS = 128
_MAX_CHARACTERS = 64 << 10
_AT_ONCE_S = 0.05


class PacedRenderer:
    """Keeps the event loop free of what takes long."""

    def __init__(self, renderer: TemplateRenderer) -> None:
        self._renderer = renderer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._is_slow = False

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
        is_small = _is_small(conversation)
        if is_small and not self._is_slow:
            try:
                return self._renderer.render(conversation, options, seconds=_AT_ONCE_S)
            except TemplateRefusedError as exc:
                if not _ran_out_of_time(exc):
                    raise
                self._is_slow = True
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        prompt = await loop.run_in_executor(
            self._thread, self._renderer.render, conversation, options
        )
        if is_small:
            self._is_slow = time.monotonic() - started > _AT_ONCE_S / 2
        return prompt


def _ran_out_of_time(refusal: TemplateRefusedError) -> bool:
    cause = refusal.__cause__
    return isinstance(cause, TemplateLimitError) and cause.ran_out_of_time


def _is_small(conversation: Conversation) -> bool:
    parts = 0
    characters = sum(
        len(tool.description) + len(tool.parameters_json_schema)
        for tool in conversation.tools.declared
    )
    for message in conversation.messages:
        parts += len(message.parts)
        characters += sum(map(_characters, message.parts))
        if parts > _MAX_PARTS or characters > _MAX_CHARACTERS:
            return False
    return characters <= _MAX_CHARACTERS


def _characters(part: Part) -> int:
    match part:
        case TextPart(text) | ReasoningPart(text) | ToolResultPart(text=text):
            return len(text)
        case ToolCallPart(arguments=arguments):
            return len(arguments)
        case _:
            return 0
