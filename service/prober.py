"""Tells what a medium is and what it would cost, without decoding it.

The tokens are counted by the way that a request goes, on a medium of the same size that shows
nothing: so the count is right for every model that the engine serves.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.conversation import Conversation, MediaPart, Message, PromptOptions, Role
from service.domain.media import MediaDescription
from service.errors import ModalityUnsupportedError
from service.ports import Engine, MediaPreparer, PromptRenderer, Tokenizer


@dataclass(frozen=True, slots=True)
class Prober:
    """The MediaProber port, made of the parts that the generator is made of."""

    engine: Engine
    tokenizer: Tokenizer
    media_preparer: MediaPreparer
    renderer: PromptRenderer

    async def probe(self, part: MediaPart, caller: str) -> tuple[MediaDescription, int | None]:
        """Return what the header tells, and the model's tokens; None: it takes no such kind.

        A model of text only has nobody who would read the header: ModalityUnsupportedError.
        """
        if not self.engine.model.part_limits:
            raise ModalityUnsupportedError(
                part.field, "the model takes text only", modality=str(part.modality)
            )
        description = await self.media_preparer.describe(part, caller=caller)
        if not self.engine.model.part_limits.get(part.modality):
            return description, None
        blank = await self.media_preparer.prepare_blank(part, description)
        conversation = Conversation((Message(Role.USER, (part,)),))
        rendered = await self.renderer.render(conversation, PromptOptions())
        token_ids = await self.tokenizer.encode(rendered.text, literal_spans=rendered.literal_spans)
        prompt = await self.engine.prepare(token_ids, [blank])
        return description, sum(span.length for span in prompt.placeholders)
