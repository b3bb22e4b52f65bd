"""Tells what a medium is and what it would cost.

The tokens are counted by the way that a request goes, on a medium of the same size that shows
nothing: so the count is right for every model that the engine serves.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.conversation import Conversation, MediaPart, Message, Role
from service.domain.events import GenerationRequest
from service.domain.media import MediaDescription
from service.errors import ModalityUnsupportedError
from service.ports import MediaPreparer
from service.prompter import Prompter


@dataclass(frozen=True, slots=True)
class Prober:
    """The MediaProber port, on the way that prompts are made."""

    prompter: Prompter
    media_preparer: MediaPreparer

    async def probe(self, part: MediaPart, caller: str) -> tuple[MediaDescription, int | None]:
        """Return what the header tells, and the model's tokens; None: it takes no such kind.

        A model of text only has nobody who would read the header: ModalityUnsupportedError.
        """
        part_limits = self.prompter.engine.model.part_limits
        if not part_limits:
            raise ModalityUnsupportedError(
                part.field, "the model takes text only", modality=str(part.modality)
            )
        if not part_limits.get(part.modality):
            return await self._describe(part, caller), None
        conversation = Conversation((Message(Role.USER, (part,)),))
        measured = await self.prompter.measure(GenerationRequest("", conversation, caller=caller))
        tokens = sum(span.length for span in measured.prompt.placeholders)
        if measured.descriptions:
            return measured.descriptions[0], tokens
        return await self._describe(part, caller), tokens

    async def _describe(self, part: MediaPart, caller: str) -> MediaDescription:
        (description,) = await self.media_preparer.describe([part], caller=caller, limits={})
        return description
