"""A prompt renderer in memory: `role:` before the parts, a bracketed mark for each medium."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from service.domain.conversation import Conversation, Modality, PromptOptions, TextPart
from service.domain.model import PromptFormat
from service.domain.prompt import ByteSpan, Place, RenderedPrompt

MEDIUM_MARKS = {
    Modality.IMAGE: "<|image|>",
    Modality.AUDIO: "<|audio|>",
    Modality.VIDEO: "<|video|>",
}


class FakePlaces:
    """Each kind has its mark; in a text it stands in brackets with its number."""

    placeholders: Mapping[Modality, str] = MEDIUM_MARKS

    def find(self, text: str) -> Iterator[Place]:
        """Find the marks."""
        kinds = {mark: kind for kind, mark in MEDIUM_MARKS.items()}
        for found in re.finditer("|".join(map(re.escape, kinds)), text):
            yield Place(kinds[found[0]], *found.span())

    def string_for(self, modality: Modality, number: int) -> str | None:
        """Return `[1:mark]`."""
        return f"[{number}:{MEDIUM_MARKS[modality]}]"


class FakeRenderer:
    """Renders conversations for a tokenizer that has MEDIUM_MARKS as special tokens."""

    prompt_format = PromptFormat("fake", "the tests chose it")
    places = FakePlaces()

    async def render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        """Render, remembering which bytes a caller wrote."""
        data = b""
        spans = []
        for message in conversation.messages:
            data += f"{message.role}:".encode()
            for part in message.parts:
                start = len(data)
                is_text = isinstance(part, TextPart)
                data += (part.text if is_text else MEDIUM_MARKS[part.modality]).encode()
                if is_text and not options.trust_special_tokens:
                    spans.append(ByteSpan(start, len(data)))
        return RenderedPrompt(data.decode(), tuple(spans))
