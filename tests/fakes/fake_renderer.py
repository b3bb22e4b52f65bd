"""A prompt renderer in memory: `role:` before the parts, a bracketed mark for each medium."""

from __future__ import annotations

from service.domain.conversation import Conversation, PromptOptions, TextPart
from service.domain.model import PromptFormat
from service.domain.prompt import ByteSpan, RenderedPrompt

MEDIUM_MARK = "<|medium|>"


class FakeRenderer:
    """Renders conversations for `FakeTokenizer(special_tokens=[..., MEDIUM_MARK])`."""

    prompt_format = PromptFormat("fake", "the tests chose it")

    async def render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        """Render, remembering which bytes a caller wrote."""
        data = b""
        spans = []
        for message in conversation.messages:
            data += f"{message.role}:".encode()
            for part in message.parts:
                start = len(data)
                data += (part.text if isinstance(part, TextPart) else MEDIUM_MARK).encode()
                if isinstance(part, TextPart) and not options.trust_special_tokens:
                    spans.append(ByteSpan(start, len(data)))
        return RenderedPrompt(data.decode(), tuple(spans))
