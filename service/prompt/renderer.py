"""The PromptRenderer port on a checkpoint's chat template."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from service.domain.conversation import Conversation, Message, Modality, PromptOptions, TextPart
from service.domain.model import PromptFormat
from service.domain.prompt import RenderedPrompt
from service.errors import TemplateRefusedError
from service.prompt.chat_template import ChatTemplate, Messages, load_chat_template
from service.prompt.formats import find_family
from service.prompt.formats.family import Family
from service.prompt.places import FamilyPlaces
from service.prompt.provenance import Marker, Unmarked


class TemplateRenderer:
    """Renders conversations; `family` is None for a model whose placeholders are not known."""

    def __init__(
        self, template: ChatTemplate | None, family: Family | None, prompt_format: PromptFormat
    ) -> None:
        self._template = template
        self._family = family
        self._format = prompt_format
        self.places = FamilyPlaces(family)

    @property
    def prompt_format(self) -> PromptFormat:
        """Which format is used, and why."""
        return self._format

    def render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        """Render, remembering what the caller wrote; raises TemplateRefusedError."""
        if self._template is None:
            raise TemplateRefusedError(
                "conversation",
                "the model has no chat template; send a finished prompt as text or token_ids",
            )
        if options.continue_final_message:
            _check_final_text(conversation)
        now = datetime.now()  # noqa: DTZ005 - local time, as transformers gives it
        fill = partial(_fill, self._template, conversation, options, now)
        # Without marks first: what the template says of a text then quotes none.
        text = fill(str)
        if options.trust_special_tokens:
            return RenderedPrompt(text)
        marker = Marker(self._template.separators)
        unmarked = marker.unmark(fill(marker.mark))
        if unmarked is None or unmarked.text != text:
            raise TemplateRefusedError(
                "conversation",
                "the model's chat template changes its texts in a way that cannot be followed; "
                "set prompt_options.trust_special_tokens if all of them are your own",
            )
        self._check_placeholders(conversation, unmarked)
        return RenderedPrompt(text, unmarked.byte_spans())

    def _check_placeholders(self, conversation: Conversation, unmarked: Unmarked) -> None:
        """Make sure that the template wrote one placeholder for each medium, in reading order."""
        if self._family is None:
            return
        kinds = {token: kind for kind, token in self._family.placeholders.items()}
        pattern = re.compile("|".join(map(re.escape, kinds)))
        written = [
            kinds[found[0]]
            for found in pattern.finditer(unmarked.text)
            if not any(start <= found.start() < end for start, end in unmarked.spans)
        ]
        wanted = [part.modality for part in conversation.media_parts()]
        if written != wanted:
            raise TemplateRefusedError(
                "conversation",
                f"the model's chat template wrote places for {_listed(written)} "
                f"where the conversation has {_listed(wanted)}",
            )


def choose_renderer(directory: Path, *, model_type: str, architecture: str) -> TemplateRenderer:
    """Choose the format of a checkpoint by the `model_type` of its config.json."""
    family = find_family(model_type)
    template = load_chat_template(directory)
    if template is None:
        prompt_format = PromptFormat("none", "the checkpoint has no chat template")
    elif family is None:
        reason = f"the checkpoint's own chat template; {architecture} is not a family known here"
        prompt_format = PromptFormat("chat-template", reason)
    else:
        prompt_format = PromptFormat(family.name, f"the checkpoint's model_type is {model_type}")
    return TemplateRenderer(template, family, prompt_format)


def _fill(
    template: ChatTemplate,
    conversation: Conversation,
    options: PromptOptions,
    now: datetime,
    edit: Callable[[str], str],
) -> str:
    messages = [
        {"role": str(message.role), "content": _content(template, message, edit)}
        for message in conversation.messages
    ]
    return template.render(
        messages,
        add_generation_prompt=options.add_generation_prompt,
        continue_final_message=options.continue_final_message,
        now=now,
    )


def _content(
    template: ChatTemplate, message: Message, edit: Callable[[str], str]
) -> str | Messages:
    if not template.takes_parts:
        return "\n".join(edit(text) for text in _texts_only(message))
    return [
        {"type": "text", "text": edit(part.text)}
        if isinstance(part, TextPart)
        else {"type": str(part.modality)}
        for part in message.parts
    ]


def _texts_only(message: Message) -> list[str]:
    texts = []
    for part in message.parts:
        if not isinstance(part, TextPart):
            raise TemplateRefusedError(
                part.field, "the model's chat template takes plain text only, no media"
            )
        texts.append(part.text)
    return texts


def _check_final_text(conversation: Conversation) -> None:
    final = conversation.messages[-1].parts[-1]
    if not isinstance(final, TextPart) or not final.text.strip():
        raise TemplateRefusedError(
            "prompt_options.continue_final_message", "needs a final message that ends with text"
        )


def _listed(kinds: list[Modality]) -> str:
    return ", ".join(kinds) or "no media"
