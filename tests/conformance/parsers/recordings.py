"""What models of several families write, and what it means.

The forms are those of the models' own documentation. Each is one whole output, with its markers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from service.domain.tools import Tool, ToolChoice, Tools

WEATHER = Tool(
    "get_weather",
    "Tells the weather.",
    json.dumps(
        {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        }
    ),
)
CLOCK = Tool("clock", "", '{"type": "object", "properties": {}}')
BOTH = Tools((WEATHER, CLOCK))
# Added tokens: special ones, and those of Qwen's and DeepSeek's that a decoder never leaves out.
SPECIAL = (
    *("<|im_start|>", "<|python_tag|>", "[TOOL_CALLS]", "[THINK]", "[/THINK]"),
    *("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>"),
    *("<|tool_call_argument_begin|>", "<|tool_call_end|>"),
)
PLAIN = (
    *("<think>", "</think>", "<tool_call>", "</tool_call>"),
    *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>"),
    *("<｜tool▁call▁end｜>", "<｜tool▁sep｜>"),
)
END = "<|im_end|>"

Call = tuple[str, Any]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One output of a model, and what is in it; `is_cut`: the end of its length came first."""

    name: str
    text: str
    reasoning_parser: str = ""
    tool_parser: str | None = None
    prompt: str = "<|im_start|>assistant\n"
    tools: Tools = BOTH
    is_cut: bool = False
    reasoning: str = ""
    content: str = ""
    calls: Sequence[Call] = field(default=())


NICE: Call = ("get_weather", {"city": "Nice", "days": 2})
KOELN: Call = ("get_weather", {"city": 'Köln "\n<b>'})
NOW: Call = ("clock", {})
_KOELN_JSON = '{"name": "get_weather", "arguments": {"city": "Köln \\"\\n<b>"}}'
_HERMES = (
    "<tool_call>\n" + _KOELN_JSON + "\n</tool_call>\n"
    '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'
)
_CODER = (
    "<tool_call>\n<function=get_weather>\n<parameter=city>\nNice\n</parameter>\n"
    "<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>"
)
_THOUGHTS = "<think>\nThe user asks 2 < 3, “why”?\n</think>\n\n"
RECORDINGS = {
    one.name: one
    for one in (
        Recording(name="hermes", tool_parser="hermes", text=_HERMES, calls=[KOELN, NOW]),
        Recording(
            name="hermes, text in front",
            tool_parser="hermes",
            text="Let me see. " + _HERMES,
            content="Let me see. ",
            calls=[KOELN, NOW],
        ),
        Recording(
            name="hermes, no call",
            tool_parser="hermes",
            text="2 <3 and <tool> is no call: 👩‍👩‍👧.",
            content="2 <3 and <tool> is no call: 👩‍👩‍👧.",
        ),
        Recording(
            name="hermes, none to be called",
            tool_parser="hermes",
            tools=Tools((WEATHER,), ToolChoice.NONE),
            text="No " + _HERMES,
            content="No " + _HERMES,
        ),
        Recording(
            name="qwen3, thoughts and calls",
            reasoning_parser="qwen3",
            tool_parser="hermes",
            text=_THOUGHTS + _HERMES,
            reasoning="\nThe user asks 2 < 3, “why”?\n",
            content="\n\n",
            calls=[KOELN, NOW],
        ),
        Recording(
            name="qwen3, thoughts begun by the prompt",
            reasoning_parser="qwen3",
            prompt="<|im_start|>assistant\n<think>\n",
            text="Hm. No.\n</think>\n\nNo.",
            reasoning="Hm. No.\n",
            content="\n\nNo.",
        ),
        Recording(
            name="qwen3, thoughts cut",
            reasoning_parser="qwen3",
            tool_parser="hermes",
            is_cut=True,
            text="<think>\nIt is not so e",
            reasoning="\nIt is not so e",
        ),
        Recording(
            name="deepseek-r1",
            reasoning_parser="deepseek_r1",
            prompt="<|im_start|>assistant\n<think>\n",
            text="First, ü.\n</think>\n\nThe answer is 4.",
            reasoning="First, ü.\n",
            content="\n\nThe answer is 4.",
            tools=Tools(),
        ),
        Recording(
            name="qwen3-coder",
            tool_parser="qwen3_coder",
            text="I look.\n" + _CODER,
            content="I look.\n",
            calls=[NICE],
        ),
        Recording(
            name="llama-3",
            tool_parser="llama3_json",
            text='{"name": "get_weather", "parameters": {"city": "Nice", "days": 2}}',
            calls=[NICE],
        ),
        Recording(
            name="llama-3, no call",
            tool_parser="llama3_json",
            text="It is warm.",
            content="It is warm.",
        ),
        Recording(
            name="mistral",
            tool_parser="mistral",
            text='[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Nice", "days": 2}},'
            ' {"name": "clock", "arguments": {}}]',
            calls=[NICE, NOW],
        ),
        Recording(
            name="pythonic",
            tool_parser="pythonic",
            text='[get_weather(city="Nice", days=2), clock()]',
            calls=[NICE, NOW],
        ),
        Recording(
            name="deepseek-v3",
            tool_parser="deepseek_v3",
            text="<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n"
            '```json\n{"city": "Nice", "days": 2}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
            calls=[NICE],
        ),
        Recording(
            name="kimi-k2",
            tool_parser="kimi_k2",
            text="Wait.<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0"
            '<|tool_call_argument_begin|>{"city": "Nice", "days": 2}<|tool_call_end|>'
            "<|tool_calls_section_end|>",
            content="Wait.",
            calls=[NICE],
        ),
        Recording(
            name="one must be called",
            tool_parser="pythonic",
            tools=Tools((WEATHER, CLOCK), ToolChoice.REQUIRED),
            text='[{"name": "get_weather", "parameters": {"city": "Nice", "days": 2}},'
            ' {"name": "clock", "parameters": {}}]',
            calls=[NICE, NOW],
        ),
        Recording(
            name="one must be called, behind thoughts",
            reasoning_parser="deepseek_r1",
            tool_parser="pythonic",
            prompt="<|im_start|>assistant\n<think>\n",
            tools=Tools((WEATHER, CLOCK), ToolChoice.REQUIRED),
            text='Hm.</think>[{"name": "clock", "parameters": {}}]',
            reasoning="Hm.",
            calls=[NOW],
        ),
        Recording(
            name="this one must be called",
            tool_parser="pythonic",
            tools=Tools((WEATHER, CLOCK), ToolChoice.NAMED, "get_weather"),
            text='{"city": "Nice", "days": 2}',
            calls=[NICE],
        ),
    )
}
# What models write too: never what it should be, and never a failure.
BROKEN = {
    "hermes": (
        "<tool_call>\n{not JSON}\n</tool_call>",
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ni',
        "<tool_call><tool_call></tool_call></tool_call><tool_call>",
        '<tool_call>\n{"name": 3, "arguments": []}\n</tool_call> and on',
        '<tool_call>\n{"name": "get_weather", "arguments": ' + '{"a":' * 400,
        "</think></tool_call>\x00\ufffd",
    ),
    "qwen3_coder": (
        "<tool_call>\n<function=>\n<parameter=>\n</parameter>\n</function>",
        "<tool_call>\n<function=unknown>\n<parameter=days>\n" + "[" * 400 + "\n</parameter>",
    ),
    "llama3_json": ('{"name": "get_weather", "parameters": ' + "[" * 400, "{}{}", '{"name": 1}'),
    "pythonic": (
        "[get_weather(city=" + "(" * 400,
        "[get_weather(city=__import__('os').system('true'))]",
        "[clock(), clock(",
    ),
    "mistral": ("[TOOL_CALLS]{", "[TOOL_CALLS][[[[", '[TOOL_CALLS][{"name": "clock"'),
    "deepseek_v3": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>\n```json\n{",
    ),
}
