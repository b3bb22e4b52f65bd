"""A checkpoint's chat template, rendered to the text that Hugging Face's transformers gives.

Tested by tests/unit/prompt/test_chat_template.py and test_refusals.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import Environment, Template, TemplateSyntaxError

from service.errors import TemplateRefusedError
from service.prompt.content_format import takes_parts
from service.prompt.render_budget import (
    RenderBudget,
    TemplateLimitError,
    spending,
    text_bytes,
)
from service.prompt.template_environment import TemplateEnvironment, clock, limited_output
from service.prompt.template_messages import Messages
from service.prompt.tool_format import knows_calls, knows_tools

_CUTTING_METHODS = {
    *("partition", "rpartition", "rsplit", "split", "splitlines"),
    *("find", "index", "rfind", "rindex"),  # where a slice may begin or end
}
# Stands behind the text that is to be continued; spelled as transformers spells it.
_END_TAG = "CONTINUE_FINAL_MESSAGE_TAG "
# The longest that any conversation takes beside the event loop.
DEFAULT_SECONDS = 10.0
_MAX_COMPLAINT = 2000
_REFUSES = "the model's chat template refuses it"
_NOTHING: Mapping[str, Any] = {}


class ChatTemplate:
    """A Jinja template and the special tokens that it may name.

    `problem` tells what is wrong with a text that is no template; it renders nothing then.
    `takes_parts` tells whether the content of messages is to be a list of typed parts, and
    `knows_tools` and `knows_calls` whether it writes tools, and calls of them. One that
    `leaves_open` the final message itself is given `continue_final_message` as a variable.
    """

    def __init__(
        self, source: str, special_tokens: dict[str, str], *, leaves_open: bool = False
    ) -> None:
        self._source = source
        self._leaves_open = leaves_open
        self._special_tokens = special_tokens
        self._template: Template | None = None
        self.problem: str | None = None
        self.takes_parts = self.knows_tools = self.knows_calls = False
        environment = TemplateEnvironment()
        try:
            self._template = environment.from_string(source)
            syntax = environment.parse(source)
            self.takes_parts = takes_parts(syntax)
            self.knows_tools, self.knows_calls = knows_tools(syntax), knows_calls(syntax)
        except Exception as exc:  # noqa: BLE001 - the parser and Python's compiler raise many
            self.problem = str(exc)
        self.separators = _find_separators(source, special_tokens)

    def render(  # noqa: PLR0913 - how, all by name
        self,
        messages: Messages,
        *,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        arguments: Mapping[str, Any] = _NOTHING,
        tools: Sequence[dict[str, Any]] | None = None,
        now: datetime | None = None,
        seconds: float = DEFAULT_SECONDS,
    ) -> str:
        """Render; raises TemplateRefusedError with what the template, or Jinja, complains of.

        With `now` the template's clock stands still. `arguments` are more of its variables;
        `tools` are in OpenAI's form. The cause is a TemplateLimitError for a template that did
        more than it may, or took more than `seconds`.
        """
        self._refuse_special_tokens(arguments)
        tags_end = continue_final_message and not self._leaves_open
        variables: dict[str, Any] = {
            "tools": tools,
            "documents": None,
            **self._special_tokens,
            **arguments,
            "messages": _tag_end(messages) if tags_end else messages,
            "add_generation_prompt": add_generation_prompt,
        }
        if self._leaves_open:
            variables["continue_final_message"] = continue_final_message
        if now is not None:
            variables["strftime_now"] = clock(now)
        text = self._render(variables, _budget_for(messages, tools, seconds))
        return self._cut_at_end(text, messages) if tags_end else text

    def _refuse_special_tokens(self, arguments: Mapping[str, Any]) -> None:
        for name in arguments.keys() & self._special_tokens.keys():
            field = f"prompt_options.template_arguments.{name}"
            raise TemplateRefusedError(field, "is one of the model's special tokens")

    def _render(self, variables: dict[str, Any], budget: RenderBudget) -> str:
        if self._template is None:
            raise TemplateRefusedError("conversation", f"{_REFUSES}: {self.problem}")
        try:
            with spending(budget):
                context = self._template.new_context(variables)
                return limited_output(self._template.root_render_func(context))
        except TemplateLimitError as exc:
            stopped = f"the model's chat template was stopped: {exc}"
            raise TemplateRefusedError("conversation", stopped) from exc
        except Exception as exc:  # a template is a program: it raises anything
            complaint = str(exc)[:_MAX_COMPLAINT]
            raise TemplateRefusedError("conversation", f"{_REFUSES}: {complaint}") from exc

    def _cut_at_end(self, text: str, messages: Messages) -> str:
        """Cut a prompt behind the text that was tagged, as transformers does."""
        final, tag = _final_text(messages), _END_TAG.strip()
        if "content" not in self._source or final.strip() not in text or tag not in text:
            raise TemplateRefusedError(
                "prompt_options.continue_final_message",
                "the model's chat template drops the end of the final message",
            )
        end = text.rindex(tag)
        keeps_space = text[end : end + len(_END_TAG)] == _END_TAG
        return text[:end] if keeps_space else text[:end].rstrip()


def _budget_for(
    messages: Messages, tools: Sequence[dict[str, Any]] | None, seconds: float
) -> RenderBudget:
    objects, size = _measure([*messages, *(tools or ())])
    return RenderBudget(messages=objects, text_bytes=size, seconds=seconds)


def _measure(value: Any) -> tuple[int, int]:  # noqa: ANN401 - as JSON has it
    """Return how many objects a value holds, itself included, and the bytes of their texts."""
    if isinstance(value, str):
        return 0, text_bytes(value)
    if not isinstance(value, dict | list):
        return 0, 0
    inner = [_measure(one) for one in (value.values() if isinstance(value, dict) else value)]
    objects, size = map(sum, zip((isinstance(value, dict), 0), *inner, strict=True))
    return objects, size


def _final_text(messages: Messages) -> str:
    content = messages[-1]["content"]
    if isinstance(content, str):
        return content
    texts = [part["text"] for part in content if "text" in part]
    return str(texts[-1]) if texts else ""


def _tag_end(messages: Messages) -> Messages:
    """Return the messages with a tag behind the final text."""
    *earlier, final = messages
    content = final["content"]
    if isinstance(content, str):
        return [*earlier, {**final, "content": content + _END_TAG}]
    parts = list(content)
    for index in reversed(range(len(parts))):
        if "text" in parts[index]:
            parts[index] = {**parts[index], "text": parts[index]["text"] + _END_TAG}
            break
    return [*earlier, {**final, "content": parts}]


def _find_separators(source: str, named: dict[str, str]) -> re.Pattern[str] | None:
    """Return what matches where the template cuts texts: at strings, `named` ones, or spaces."""
    try:
        tokens = list(Environment(autoescape=True).lexer.tokenize(source))
    except TemplateSyntaxError:
        tokens = []
    triples = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    strings = named | {
        name.value: string.value
        for name, sign, string in triples
        if sign.type == "assign" and string.type == "string"
    }
    found = set()
    for method, bracket, argument in triples:
        if method.value in _CUTTING_METHODS and bracket.type == "lparen":
            value = argument.value if argument.type == "string" else strings.get(argument.value)
            found.add(r"\s+" if argument.type == "rparen" else re.escape(value or ""))
    # The longest first.
    pattern = "|".join(sorted(found - {""}, key=len, reverse=True))
    return re.compile(pattern) if pattern else None
