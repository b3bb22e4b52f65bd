"""Turns the contract's tools, and the parts that tell of calls, into the domain's.

Tested by tests/unit/rpc/test_tools.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.domain.conversation import ToolCallPart, ToolResultPart
from service.domain.tools import Tool, ToolChoice, Tools
from service.rpc.json_texts import check_json_object
from triptych.v1 import conversation_pb2 as conversation_pb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.rpc.violations import Violations
    from triptych.v1 import generation_service_pb2 as pb

_MAX_TOOLS = 128
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NAME_RULE = "must be 1 to 64 letters, digits, '_', '-' or '.'"
_MAX_ID_CHARACTERS = 256
# Of all tools together; each is parsed on the event loop, and again by the engine.
_MAX_CHARACTERS = 1 << 20
_MODES = {
    conversation_pb.TOOL_CHOICE_MODE_UNSPECIFIED: ToolChoice.AUTO,
    conversation_pb.TOOL_CHOICE_MODE_AUTO: ToolChoice.AUTO,
    conversation_pb.TOOL_CHOICE_MODE_NONE: ToolChoice.NONE,
    conversation_pb.TOOL_CHOICE_MODE_REQUIRED: ToolChoice.REQUIRED,
}


def to_tools(
    message: pb.GenerateRequest, violations: Violations, *, has_conversation: bool = True
) -> Tools:
    """Convert what a request says of tools; what is wrong goes to `violations`."""
    if message.tools and not has_conversation:
        violations.add("tools", "go with a conversation; a finished prompt tells of its own")
    declared = _to_declared(message.tools, violations)
    choice, name = _to_choice(message.tool_choice, violations)
    if choice is ToolChoice.NAMED and name not in {tool.name for tool in declared}:
        violations.add("tool_choice.name", f"{name[:80]!r} is not the name of one of the tools")
    if choice is ToolChoice.REQUIRED and not message.tools:
        violations.add("tool_choice.mode", "requires a call, but there are no tools")
    wanted = message.tool_choice
    return Tools(declared, choice, name, wanted.parallel if wanted.HasField("parallel") else True)


def _to_declared(tools: Sequence[conversation_pb.Tool], violations: Violations) -> tuple[Tool, ...]:
    if len(tools) > _MAX_TOOLS:
        violations.add("tools", f"must have at most {_MAX_TOOLS} tools, got {len(tools)}")
        return ()
    size = sum(len(tool.description) + len(tool.parameters_json_schema) for tool in tools)
    if size > _MAX_CHARACTERS:
        violations.add(
            "tools", f"must have at most {_MAX_CHARACTERS} characters together, got {size}"
        )
        return ()
    names: set[str] = set()
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        check_tool_name(f"{path}.name", tool.name, violations)
        if tool.name in names:
            violations.add(f"{path}.name", f"{tool.name[:80]!r} is the name of a tool before it")
        names.add(tool.name)
        if tool.parameters_json_schema:
            check_json_object(
                f"{path}.parameters_json_schema", tool.parameters_json_schema, violations
            )
    return tuple(Tool(one.name, one.description, one.parameters_json_schema) for one in tools)


def _to_choice(
    message: conversation_pb.ToolChoice, violations: Violations
) -> tuple[ToolChoice, str]:
    if message.WhichOneof("choice") == "name":
        return ToolChoice.NAMED, message.name
    if message.mode not in _MODES:
        violations.add("tool_choice.mode", f"{message.mode} is not a mode")
    return _MODES.get(message.mode, ToolChoice.AUTO), ""


def to_tool_call(
    message: conversation_pb.ToolCall, path: str, violations: Violations
) -> ToolCallPart:
    """Convert a call that the model made; `path` is where it stands in the request."""
    check_tool_name(f"{path}.name", message.name, violations)
    _check_id(f"{path}.id", message.id, violations)
    arguments = message.arguments or "{}"
    check_json_object(f"{path}.arguments", arguments, violations)
    return ToolCallPart(message.id, message.name, arguments)


def to_tool_result(
    message: conversation_pb.ToolResult, path: str, violations: Violations
) -> ToolResultPart:
    """Convert what a call gave; `path` is where it stands in the request."""
    if message.name:
        check_tool_name(f"{path}.name", message.name, violations)
    _check_id(f"{path}.tool_call_id", message.tool_call_id, violations)
    return ToolResultPart(message.tool_call_id, message.name, message.text)


def check_tool_name(field: str, name: str, violations: Violations) -> None:
    """Demand a name that is no text of its own: it spells no control token."""
    if not _NAME.fullmatch(name):
        violations.add(field, f"{_NAME_RULE}, got {name[:80]!r}")


def _check_id(field: str, name: str, violations: Violations) -> None:
    if len(name) > _MAX_ID_CHARACTERS:
        violations.add(field, f"must have at most {_MAX_ID_CHARACTERS} characters, got {len(name)}")
