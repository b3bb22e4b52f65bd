"""Tools that a model may call, its calls, and what they gave."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from triptych.v1 import conversation_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODES = {
    "auto": conversation_pb2.TOOL_CHOICE_MODE_AUTO,
    "none": conversation_pb2.TOOL_CHOICE_MODE_NONE,
    "required": conversation_pb2.TOOL_CHOICE_MODE_REQUIRED,
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call; `parameters` is JSON Schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made; a part of an assistant's message. `arguments` is JSON."""

    name: str
    arguments: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave; a part of a message whose role is `tool`."""

    text: str
    tool_call_id: str = ""
    name: str = ""


def tool_to_proto(tool: Tool) -> conversation_pb2.Tool:
    """Return the tool; its parameters travel as text."""
    return conversation_pb2.Tool(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=json.dumps(dict(tool.parameters)) if tool.parameters else "",
    )


def choice_to_proto(choice: str) -> conversation_pb2.ToolChoice:
    """Return a mode, or the name of a tool."""
    if choice in _MODES:
        return conversation_pb2.ToolChoice(mode=_MODES[choice])
    return conversation_pb2.ToolChoice(name=choice)
