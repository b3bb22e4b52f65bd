"""Tools, and calls of them, in the form that a chat template takes.

Keys come in the order in which vLLM's server hands them on, which is that of OpenAI's own types:
some templates write a whole call as JSON. Arguments and schemas are objects, not texts.

What a caller wrote there, keys of schemas and arguments too, is marked as other texts of the
caller's are; so control tokens in them are plain characters.

Tested by tests/unit/prompt/test_template_tools.py, and beside vLLM by tests/conformance/formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from service.domain.conversation import Message, ReasoningPart, ToolCallPart, ToolResultPart
from service.domain.tools import Tool

_WORDS = re.compile(r"[A-Za-z0-9_ .,:/+$-]*")


def to_template_tools(
    tools: Sequence[Tool], edit: Callable[[str], str]
) -> list[dict[str, Any]] | None:
    """Return the tools in OpenAI's form; `edit` goes over each text. None: there are none."""
    # A template looks names up, as in `name in required`: so the same text gets the same marks.
    edit = cache(edit)
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": edit_texts(tool.description, edit) or None,
                "parameters": (
                    _parsed(tool.parameters_json_schema, edit)
                    if tool.parameters_json_schema
                    else None
                ),
            },
        }
        for tool in tools
    ] or None


def to_result_message(result: ToolResultPart, edit: Callable[[str], str]) -> dict[str, Any]:
    """Return what a call gave, as a message of its own."""
    message = {"role": "tool", "content": edit(result.text)}
    if result.tool_call_id:
        message["tool_call_id"] = edit_texts(result.tool_call_id, edit)
    if result.name:
        message["name"] = result.name
    return message


def to_call_fields(message: Message, edit: Callable[[str], str]) -> dict[str, Any]:
    """Return what a message has besides its content: calls, and thoughts under both names."""
    fields: dict[str, Any] = {}
    calls = [_to_call(part, edit) for part in message.parts if isinstance(part, ToolCallPart)]
    if calls:
        fields["tool_calls"] = calls
    for part in message.parts:
        if isinstance(part, ReasoningPart):
            fields["reasoning"] = fields["reasoning_content"] = edit(part.text)
    return fields


def edit_texts(value: Any, edit: Callable[[str], str]) -> Any:  # noqa: ANN401 - as JSON has it
    """Return a caller's value with `edit` gone over its texts, but for words such as `high`.

    A template compares those with words of its own, and they spell no control token.
    """
    if isinstance(value, str):
        return value if _WORDS.fullmatch(value) else edit(value)
    if isinstance(value, Mapping):
        return {edit_texts(key, edit): edit_texts(one, edit) for key, one in value.items()}
    if isinstance(value, list):
        return [edit_texts(one, edit) for one in value]
    return value


def _to_call(part: ToolCallPart, edit: Callable[[str], str]) -> dict[str, Any]:
    function = {"arguments": _parsed(part.arguments, edit), "name": part.name}
    call = {"function": function, "type": "function"}
    return {"id": edit_texts(part.id, edit), **call} if part.id else call


def _parsed(json_object: str, edit: Callable[[str], str]) -> dict[str, Any]:
    return {**edit_texts(json.loads(json_object), edit)}
