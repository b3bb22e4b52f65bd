"""A usual conversation is rendered at once, a large one beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from service.domain.conversation import Conversation, Message, PromptOptions
from service.domain.model import PromptFormat
from service.domain.prompt import RenderedPrompt
from service.errors import TemplateRefusedError
from service.prompt.chat_template import ChatTemplate
from service.prompt.paced_renderer import PacedRenderer
from service.prompt.render_budget import TemplateLimitError
from service.prompt.renderer import TemplateRenderer
from tests.unit.prompt.templates import assistant, user

SMALL = Conversation((user("hello"),))
FORMAT = PromptFormat("watched", "the test chose it")


class Watched(TemplateRenderer):
    """Notes the threads that it renders in; needs more time than `patience` when that is set."""

    def __init__(self) -> None:
        super().__init__(None, None, FORMAT)
        self.threads: list[str] = []
        self.patience = 0.0

    def render(
        self, conversation: Conversation, options: PromptOptions, *, seconds: float = 10
    ) -> RenderedPrompt:
        self.threads.append(threading.current_thread().name.split("_")[0])
        if seconds < self.patience:
            raise TemplateRefusedError("conversation", "too slow") from TemplateLimitError(
                "too slow", ran_out_of_time=True
            )
        return RenderedPrompt("rendered")


@pytest.mark.parametrize(
    ("messages", "beside"),
    [
        ([user("hello")], False),
        ([user("a"), assistant("b")] * 64, False),
        ([user("a"), assistant("b")] * 65, True),
        ([user(*["a"] * 129)], True),
        ([user("a" * 65_536)], False),
        ([user("a"), user("a" * 65_536)], True),
    ],
)
async def test_only_large_conversations_are_rendered_beside_the_loop(
    messages: list[Message], beside: bool
) -> None:
    watched = Watched()
    renderer = PacedRenderer(watched)
    prompt = await renderer.render(Conversation(tuple(messages)), PromptOptions())

    assert RenderedPrompt("rendered") == prompt
    assert ["render" if beside else "MainThread"] == watched.threads
    assert FORMAT == renderer.prompt_format


async def test_a_slow_template_gets_its_time_beside_the_loop() -> None:
    """Tried once on the loop, then beside it; when it is quick there, on the loop again."""
    watched = Watched()
    renderer = PacedRenderer(watched)
    watched.patience = 1.0
    await renderer.render(SMALL, PromptOptions())
    watched.patience = 0.0
    await renderer.render(SMALL, PromptOptions())

    assert ["MainThread", "render", "MainThread"] == watched.threads


async def test_the_loop_goes_on_while_a_template_spins() -> None:
    """It turns many times before the template is stopped, and small prompts are not in its way."""
    source = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"
    renderer = PacedRenderer(TemplateRenderer(ChatTemplate(source, {}), None, FORMAT))
    large = Conversation((user("a"),) * 200)
    rendering = asyncio.create_task(renderer.render(large, PromptOptions()))
    turns = 0
    while not rendering.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 10
    with pytest.raises(TemplateRefusedError, match="was stopped: it takes too"):
        await rendering
