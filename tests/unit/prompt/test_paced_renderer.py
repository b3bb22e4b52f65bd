"""A usual conversation is rendered at once, a large one beside the event loop."""

from __future__ import annotations

import threading

import pytest

from service.domain.conversation import Conversation, Message, PromptOptions
from service.domain.model import PromptFormat
from service.domain.prompt import RenderedPrompt
from service.prompt.paced_renderer import PacedRenderer
from service.prompt.renderer import TemplateRenderer
from tests.unit.prompt.templates import assistant, user


class Watched(TemplateRenderer):
    """Notes the thread that it renders in."""

    def __init__(self) -> None:
        super().__init__(None, None, PromptFormat("watched", "the test chose it"))
        self.thread = ""

    def render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        self.thread = threading.current_thread().name
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
    assert beside == watched.thread.startswith("render")
    assert "watched" == renderer.prompt_format.name
