"""Renders conversations with a chat template, with a family's places for media where they lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

from service.domain.conversation import (
    Conversation,
    MediaPart,
    Message,
    Modality,
    PromptOptions,
    TextPart,
    ToolCallPart,
)
from service.domain.model import PromptFormat
from service.domain.prompt import RenderedPrompt
from service.errors import StartupError, TemplateRefusedError
from service.prompt.chat_template import DEFAULT_SECONDS, ChatTemplate
from service.prompt.formats import FAMILIES, find_family, find_format
from service.prompt.formats.family import Family
from service.prompt.formats.generic import make_generic_family
from service.prompt.json_file import read_json
from service.prompt.places import FamilyPlaces
from service.prompt.provenance import Marker, Unmarked
from service.prompt.template_messages import to_part_messages, to_string_messages
from service.prompt.template_source import (
    TemplateSource,
    find_template,
    find_tool_template,
    load_special_tokens,
)
from service.prompt.template_tools import edit_texts, to_template_tools

_NO_STRINGS: Mapping[Modality, str | None] = MappingProxyType({})


class TemplateRenderer:
    """Renders conversations; `family` is None for a model whose placeholders are not known.

    A checkpoint may have a template of its own for conversations with tools, `tool_template`.
    """

    def __init__(
        self,
        template: ChatTemplate | None,
        family: Family | None,
        prompt_format: PromptFormat,
        *,
        tool_template: ChatTemplate | None = None,
    ) -> None:
        self._template = template
        self._tool_template = tool_template or template
        self._family = family
        self._format = prompt_format
        self.places = FamilyPlaces(family)

    @property
    def prompt_format(self) -> PromptFormat:
        """Which format is used, and why."""
        return self._format

    def render(
        self,
        conversation: Conversation,
        options: PromptOptions,
        *,
        seconds: float = DEFAULT_SECONDS,
    ) -> RenderedPrompt:
        """Render, remembering what the caller wrote; raises TemplateRefusedError."""
        template = self._ready_template(conversation)
        _check_tools(conversation, template)
        if options.continue_final_message:
            _check_final_text(conversation)
        now = datetime.now()  # noqa: DTZ005 - local time, as transformers gives it
        fill = partial(self._fill, conversation, options, now, seconds)
        # Without marks first: what the template says of a text then quotes none.
        text = fill(str)
        if options.trust_special_tokens:
            return RenderedPrompt(text)
        marker = Marker(template.separators)
        unmarked = marker.unmark(fill(marker.mark))
        if unmarked is None or unmarked.text != text:
            raise TemplateRefusedError(
                "conversation",
                "the model's chat template changes its texts in a way that cannot be followed; "
                "set prompt_options.trust_special_tokens if all of them are your own",
            )
        self._check_places(conversation, unmarked, template)
        return RenderedPrompt(text, unmarked.byte_spans())

    def _fill(
        self,
        conversation: Conversation,
        options: PromptOptions,
        now: datetime,
        seconds: float,
        edit: Callable[[str], str],
    ) -> str:
        template, trusted = self._ready_template(conversation), options.trust_special_tokens
        if template.takes_parts:
            messages = to_part_messages(conversation, edit)
        else:
            messages = to_string_messages(conversation, self._family, edit, trusted=trusted)
        return template.render(
            messages,
            add_generation_prompt=options.add_generation_prompt,
            continue_final_message=options.continue_final_message,
            arguments=edit_texts(options.template_arguments, edit),
            tools=to_template_tools(conversation.tools.told, edit),
            now=now,
            seconds=seconds,
        )

    def _ready_template(self, conversation: Conversation) -> ChatTemplate:
        template = self._tool_template if conversation.tools.told else self._template
        if template is None:
            raise TemplateRefusedError(
                "conversation",
                "the model has no chat template; send a finished prompt as text or token_ids",
            )
        return template

    def _check_places(
        self, conversation: Conversation, unmarked: Unmarked, template: ChatTemplate
    ) -> None:
        """Make sure that one placeholder was written for each medium, in its order."""
        if self._family is None or not self._family.placeholders:
            return
        written = [kind for _, kind in self._family.find_places(unmarked.template_text())]
        wanted = [
            part.modality
            for message in conversation.messages
            for part in self._in_template_order(message, template)
            if part.modality not in self._family.unwritten
        ]
        if written != wanted:
            raise TemplateRefusedError(
                "conversation",
                f"the model's chat template wrote places for {_listed(written)} "
                f"where the conversation has {_listed(wanted)}",
            )

    def _in_template_order(self, message: Message, template: ChatTemplate) -> list[MediaPart]:
        """Return the media of a message as templates of the family, or for strings, have them."""
        media = list(message.media_parts())
        kinds: list[Modality] = []
        if template.takes_parts:
            if self._family is None or not self._family.order:
                return media
            kinds += self._family.order
        kinds += [part.modality for part in media]
        return sorted(media, key=lambda part: kinds.index(part.modality))


def choose_renderer(  # noqa: PLR0913 - three facts of the model, two wishes of the operator
    directory: Path,
    *,
    model_type: str,
    architecture: str,
    template_file: Path | None = None,
    format_name: str | None = None,
    placeholder_strings: Mapping[Modality, str | None] = _NO_STRINGS,
) -> TemplateRenderer:
    """Choose the format of a checkpoint by its config.json, or as the operator says.

    Of a family that is not known, `placeholder_strings` are what the engine says of its media.

    Raises StartupError for a format that is not known, a family that cannot be served, and a
    `template_file` that is no template.
    """
    if format_name is None:
        family = find_family(model_type, _vision_type(directory))
    else:
        family = _named_family(format_name)
    source = find_template(directory, file=template_file, family=family)
    special_tokens = load_special_tokens(directory)
    template = _compile(source, special_tokens)
    tool_source = find_tool_template(directory, source)
    if family is None:
        family = make_generic_family(placeholder_strings)
        why = f"{architecture} is not a family known here"
    else:
        why = "as told" if format_name else f"the checkpoint's model_type is {model_type}"
    name = family.name if source else "none"
    prompt_format = PromptFormat(name, f"{why}; {_describe(source, template)}")
    return TemplateRenderer(
        template,
        family,
        prompt_format,
        tool_template=None if tool_source is source else _compile(tool_source, special_tokens),
    )


def check_choice(template_file: Path | None, format_name: str | None) -> None:
    """Raise StartupError for what `choose_renderer` would refuse of the operator's choice."""
    if format_name is not None:
        _named_family(format_name)
    if template_file is not None:
        _compile(find_template(template_file.parent, file=template_file), {})


def _named_family(name: str) -> Family:
    family = find_format(name)
    if family is None:
        known = ", ".join(sorted(one.name for one in FAMILIES))
        raise StartupError(f"no prompt format is named {name!r}; known are {known}")
    return family


def _compile(source: TemplateSource | None, special_tokens: dict[str, str]) -> ChatTemplate | None:
    if source is None:
        return None
    template = ChatTemplate(source.text, special_tokens, leaves_open=source.leaves_open)
    if template.problem and source.is_operators:
        raise StartupError(f"{source.origin} is not a chat template: {template.problem}")
    return template


def _vision_type(directory: Path) -> str:
    vision = read_json(directory / "config.json").get("vision_config")
    return str(vision.get("model_type", "")) if isinstance(vision, dict) else ""


def _describe(source: TemplateSource | None, template: ChatTemplate | None) -> str:
    if source is None or template is None:
        return "the checkpoint has no chat template"
    content = "typed parts" if template.takes_parts else "strings"
    broken = f", which is broken: {template.problem}" if template.problem else ""
    return f"chat template for {content} from {source.origin}{broken}"


def _check_tools(conversation: Conversation, template: ChatTemplate) -> None:
    """Refuse what the template would leave out without a word."""
    if conversation.tools.told and not template.knows_tools:
        raise TemplateRefusedError(
            "tools", "the model's chat template does not know tools; --chat-template FILE may"
        )
    if template.knows_calls:
        return
    for index, message in enumerate(conversation.messages):
        for place, part in enumerate(message.parts):
            if isinstance(part, ToolCallPart):
                raise TemplateRefusedError(
                    f"conversation.messages[{index}].parts[{place}].tool_call",
                    "the model's chat template does not know calls of tools",
                )


def _check_final_text(conversation: Conversation) -> None:
    final = conversation.messages[-1].parts[-1]
    if not isinstance(final, TextPart) or not final.text.strip():
        raise TemplateRefusedError(
            "prompt_options.continue_final_message", "needs a final message that ends with text"
        )


def _listed(kinds: list[Modality]) -> str:
    return ", ".join(kinds) or "no media"
