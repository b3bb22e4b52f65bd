"""Tells what a medium is and what it would cost.

The tokens are counted by the way that a request goes, on a medium of the same size that shows
nothing: so the count is right for every model that the engine serves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineData,
    MediaPart,
    MediaSource,
    Message,
    Modality,
    Role,
    VideoPart,
)
from service.domain.events import GenerationRequest
from service.domain.media import MediaDescription, PreparedMedia
from service.errors import InvalidRequestError, ModalityUnsupportedError
from service.ports import MediaPreparer
from service.prompter import Prompter


class _Usual(NamedTuple):
    """A medium that was never sent; its cost is told for each of its `seconds`."""

    part: MediaPart
    description: MediaDescription
    seconds: float


_NOWHERE = MediaSource(InlineData(b""))
_USUAL = {
    Modality.IMAGE: _Usual(
        ImagePart("image", _NOWHERE),
        MediaDescription(Modality.IMAGE, "image/jpeg", 0, width=1024, height=768),
        1.0,
    ),
    Modality.AUDIO: _Usual(
        AudioPart("audio", _NOWHERE),
        MediaDescription(Modality.AUDIO, "audio/wav", 0, duration_s=10.0, used_s=10.0),
        10.0,
    ),
    Modality.VIDEO: _Usual(
        VideoPart("video", _NOWHERE),
        MediaDescription(
            modality=Modality.VIDEO,
            mime_type="video/mp4",
            size_bytes=0,
            width=640,
            height=360,
            duration_s=10.0,
            used_s=10.0,
            frames=250,
            sampled_frames=20,
        ),
        10.0,
    ),
}


@dataclass(frozen=True, slots=True)
class _UsualMedia:
    """A MediaPreparer for which every medium is the one described."""

    preparer: MediaPreparer
    description: MediaDescription

    async def describe(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[MediaDescription]:
        """Describe it."""
        del caller, limits
        return [self.description for _ in parts]

    async def prepare_blanks(
        self, parts: Sequence[MediaPart], descriptions: Sequence[MediaDescription]
    ) -> list[PreparedMedia]:
        """Leave it to the real one."""
        return await self.preparer.prepare_blanks(parts, descriptions)

    async def prepare(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[PreparedMedia]:
        """Leave it to the real one."""
        return await self.preparer.prepare(parts, caller=caller, limits=limits)


@dataclass(frozen=True, slots=True)
class Prober:
    """The MediaProber port, on the way that prompts are made."""

    prompter: Prompter
    media_preparer: MediaPreparer
    _usual_costs: dict[Modality, float | None] = field(default_factory=dict, init=False)

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

    async def usual_costs(self) -> dict[Modality, float]:
        """Return what usual media cost: a picture, a second of sound, a second of video.

        A kind whose cost cannot be told is left out: a template may refuse a medium without words.
        """
        takes = self.prompter.engine.model.part_limits
        for modality in takes:
            if takes[modality] and modality not in self._usual_costs:
                try:
                    self._usual_costs[modality] = await self._usual_cost(modality)
                except InvalidRequestError:
                    self._usual_costs[modality] = None
        return {kind: cost for kind, cost in self._usual_costs.items() if cost is not None}

    async def _usual_cost(self, modality: Modality) -> float:
        usual = _USUAL[modality]
        prompter = dataclasses.replace(
            self.prompter, media_preparer=_UsualMedia(self.media_preparer, usual.description)
        )
        conversation = Conversation((Message(Role.USER, (usual.part,)),))
        measured = await prompter.measure(GenerationRequest("", conversation))
        return sum(span.length for span in measured.prompt.placeholders) / usual.seconds

    async def _describe(self, part: MediaPart, caller: str) -> MediaDescription:
        (description,) = await self.media_preparer.describe([part], caller=caller, limits={})
        return description
