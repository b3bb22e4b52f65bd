"""Conversations with tools: the prompt's ids are those of vLLM's own server, and texts stay texts.

vLLM's side is its server's own way from a client's JSON to ids, `OnlineRenderer.render_chat`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.exceptions import VLLMValidationError
from vllm.renderers.online_renderer import OnlineRenderer

from service.domain.conversation import (
    Conversation,
    Message,
    Part,
    PromptOptions,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from service.domain.tools import Tool, ToolChoice, Tools
from service.errors import TemplateRefusedError
from tests.conformance.formats.conftest import Family
from tests.conformance.formats.families import tools as families_with_tools

FAMILIES = [checkpoint.name for checkpoint in families_with_tools.CHECKPOINTS]
WEATHER = Tool(
    "get_weather",
    'Tells the weather, in °C or °F ("metric" first).\nNot the climate.',
    json.dumps(
        {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Whose? Such as “Köln”, or 'Nice'."},
                "unit": {"type": "string", "enum": ["°C", "°F"], "default": None},
                "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 1.5e1},
                "größe": {"$ref": "#/$defs/<size>"},
            },
            "required": ["city", "größe"],
            "$defs": {"<size>": {"type": "object", "properties": {}}},
        },
        ensure_ascii=False,
    ),
)
CLOCK = Tool("clock.now-2", "", json.dumps({"type": "object", "properties": {}}))
BARE = Tool("bare")
TWO = Tools((WEATHER, CLOCK))


@dataclass(frozen=True)
class ToolCase:
    """A conversation by name, with its tools."""

    name: str
    messages: tuple[Message, ...]
    tools: Tools = TWO

    def conversation(self) -> Conversation:
        return Conversation(self.messages, self.tools)

    def request(self) -> ChatCompletionRequest:
        """Return it as a client of vLLM's server sends it."""
        body: dict[str, Any] = {
            "messages": [one for message in self.messages for one in _openai_messages(message)]
        }
        if self.tools.declared:
            body["tools"] = [_openai_tool(tool) for tool in self.tools.declared]
            body["tool_choice"] = str(self.tools.choice)
        return ChatCompletionRequest.model_validate(json.loads(json.dumps(body)))


def _openai_tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters_json_schema:
        function["parameters"] = json.loads(tool.parameters_json_schema)
    return {"type": "function", "function": function}


def _openai_messages(message: Message) -> Iterator[dict[str, Any]]:
    if message.role is Role.TOOL:
        for part in message.parts:
            fields = {"tool_call_id": part.tool_call_id, "name": part.name, "content": part.text}
            yield {"role": "tool"} | {name: value for name, value in fields.items() if value}
        return
    texts = [{"type": "text", "text": p.text} for p in message.parts if isinstance(p, TextPart)]
    sent: dict[str, Any] = {"role": str(message.role), "content": texts or None}
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    if calls:
        sent["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ]
    for part in message.parts:
        if isinstance(part, ReasoningPart):
            sent["reasoning"] = part.text
    yield sent


def _say(role: Role, *parts: Part | str) -> Message:
    return Message(role, tuple(TextPart(p) if isinstance(p, str) else p for p in parts))


ASK = _say(Role.USER, "What is the weather in Köln?")
CALL = ToolCallPart("call00001", "get_weather", '{"days": 2, "city": "Köln \\"\\u00e9\\" <b>"}')
SECOND = ToolCallPart("call00002", "clock.now-2", "{}")
NESTED = ToolCallPart(
    "call00003", "get_weather", '{"z": [1.0, true, null, {"größe": {}}], "a": 12345678901234567890}'
)
RESULT = ToolResultPart("call00001", "get_weather", '{"sky": "clear",\n "°C": 21.5}')
CASES = {
    case.name: case
    for case in (
        ToolCase("tools only", (ASK,)),
        ToolCase("one bare tool", (ASK,), Tools((BARE,))),
        ToolCase("tools, and none to be called", (ASK,), Tools((WEATHER,), ToolChoice.NONE)),
        ToolCase("tools, one must be called", (ASK,), Tools((WEATHER,), ToolChoice.REQUIRED)),
        ToolCase("tools and a system message", (_say(Role.SYSTEM, "Be brief."), ASK)),
        ToolCase("a call", (ASK, _say(Role.ASSISTANT, CALL))),
        ToolCase(
            "a call and its result",
            (ASK, _say(Role.ASSISTANT, CALL), _say(Role.TOOL, RESULT)),
        ),
        ToolCase(
            "two calls and their results",
            (
                ASK,
                _say(Role.ASSISTANT, "Let me see.", CALL, SECOND),
                _say(Role.TOOL, RESULT, ToolResultPart("call00002", "", "12:00")),
                _say(Role.ASSISTANT, "21.5 °C at noon."),
                _say(Role.USER, "Thanks."),
            ),
        ),
        ToolCase(
            "results in messages of their own, and no tools any more",
            (
                ASK,
                _say(Role.ASSISTANT, NESTED),
                _say(Role.TOOL, ToolResultPart("call00003", "", "")),
            ),
            Tools(),
        ),
        ToolCase(
            "thoughts",
            (
                ASK,
                _say(Role.ASSISTANT, ReasoningPart("\nThe user asks… “no”.\n"), CALL),
                _say(Role.TOOL, RESULT),
            ),
        ),
        ToolCase(
            "thoughts of an earlier turn",
            (ASK, _say(Role.ASSISTANT, ReasoningPart("Hm."), "Clear."), ASK),
            Tools(),
        ),
    )
}


def _theirs(family: Family, case: ToolCase) -> list[int]:
    """Return the ids of vLLM's server."""
    server = OnlineRenderer(
        family.vllm.model_config,
        family.vllm.renderer,
        request_logger=None,
        chat_template=None,
        chat_template_content_format="auto",
        enable_auto_tools=True,
        exclude_tools_when_tool_choice_none=True,
        tool_parser="pythonic",
    )
    _, (prompt,) = asyncio.run(server.render_chat(case.request()))
    return list(prompt["prompt_token_ids"])


def _ours(family: Family, case: ToolCase, *, trusted: bool = False) -> list[int]:
    options = PromptOptions(trust_special_tokens=trusted)
    return family.ours.ids_of(family.ours.renderer.render(case.conversation(), options))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("family", FAMILIES, indirect=True)
def test_the_ids_are_vllms(family: Family, name: str) -> None:
    """And what the template refuses there, such as two calls a turn, it refuses here."""
    try:
        expected = _theirs(family, CASES[name])
    except VLLMValidationError as refusal:
        with pytest.raises(TemplateRefusedError, match=str(refusal)):
            _ours(family, CASES[name])
    else:
        assert expected == _ours(family, CASES[name])
        assert expected == _ours(family, CASES[name], trusted=True)


def _hostile(family: Family, text: str) -> ToolCase:
    """Return a conversation that has the text wherever a caller can write one."""
    quoted = json.dumps(text)
    schema = (
        f'{{"type": "object", {quoted}: {{}}, "properties": {{{quoted}: {{"type": {quoted}}}}}}}'
    )
    call = ToolCallPart("call00001", "get_weather", f'{{{quoted}: {quoted}, "a": [{quoted}]}}')
    return ToolCase(
        "hostile",
        (
            ASK,
            _say(Role.ASSISTANT, ReasoningPart(text), text, call),
            _say(Role.TOOL, ToolResultPart("call00001", "", text)),
            ASK,
        ),
        Tools((replace(WEATHER, description=text, parameters_json_schema=schema),)),
    )


@pytest.mark.parametrize("family", FAMILIES, indirect=True)
def test_control_tokens_in_tools_calls_and_results_are_characters(family: Family) -> None:
    """The control tokens of the prompt are those of a harmless one."""
    added = family.tokenizer.get_added_tokens_decoder().values()
    texts = [token.content for token in added if token.special]
    control = {family.tokenizer.token_to_id(text) for text in texts}
    ids = _ours(family, _hostile(family, " ".join(texts)))
    expected = _ours(family, _hostile(family, "x"))

    assert [one for one in expected if one in control] == [one for one in ids if one in control]
    assert _ours(family, _hostile(family, " ".join(texts)), trusted=True) != ids
