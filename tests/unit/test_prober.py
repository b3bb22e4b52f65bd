"""What usual media cost is counted as prompts are made; what cannot be counted is left out."""

from __future__ import annotations

import dataclasses
from typing import Any

from service.domain.conversation import Conversation, MediaPart, Modality, PromptOptions
from service.domain.prompt import RenderedPrompt
from service.errors import TemplateRefusedError
from tests.fakes.fake_renderer import FakeRenderer
from tests.fakes.fake_way import FakeWay


class SilentSoundsRefused(FakeRenderer):
    """A template that wants words with a sound."""

    def __init__(self) -> None:
        self.asked = 0

    async def render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        self.asked += 1
        (part,) = conversation.messages[0].parts
        if isinstance(part, MediaPart) and part.modality is Modality.AUDIO:
            raise TemplateRefusedError("conversation", "a sound needs words")
        return await super().render(conversation, options)


def with_renderer(way: FakeWay, renderer: FakeRenderer) -> Any:
    prompter = dataclasses.replace(way.prompter, renderer=renderer)
    return dataclasses.replace(way.prober, prompter=prompter)


async def test_a_picture_and_a_second_of_sound_have_their_cost() -> None:
    """The fake engine spends two tokens on a medium, and a usual sound lasts ten seconds."""
    costs = await FakeWay().prober.usual_costs()
    assert costs == {Modality.IMAGE: 2.0, Modality.AUDIO: 0.2}


async def test_a_kind_that_the_template_refuses_alone_is_left_out() -> None:
    """And the model is described all the same; the question is put once."""
    renderer = SilentSoundsRefused()
    prober = with_renderer(FakeWay(), renderer)
    assert await prober.usual_costs() == {Modality.IMAGE: 2.0}
    assert await prober.usual_costs() == {Modality.IMAGE: 2.0}
    assert renderer.asked == 2
