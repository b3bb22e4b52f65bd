"""A request in the form in which vLLM's parsers take it: that of its OpenAI server.

Only what they read is in it: how tools may be called, what form the answer must have, what the
chat template was told, and the calls of earlier turns, which some number theirs after.
"""

from __future__ import annotations

import json
from typing import Any

from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

from service.domain.conversation import Conversation, Role, ToolCallPart
from service.domain.events import GenerationRequest
from service.domain.tools import Tool, ToolChoice, Tools
from service.engine.sampling_params import to_structured_outputs


def to_chat_request(
    request: GenerationRequest, conversation: Conversation
) -> ChatCompletionRequest:
    """Convert; raises what vLLM raises for combinations that it does not take."""
    sampling, options = request.sampling, request.prompt_options
    fields: dict[str, Any] = {
        "messages": _calling_messages(conversation),
        "skip_special_tokens": sampling.skip_special_tokens,
        "add_generation_prompt": options.add_generation_prompt,
        "continue_final_message": options.continue_final_message,
        "chat_template_kwargs": dict(options.template_arguments),
        "stream": True,
    }
    if conversation.tools.declared:
        # Of a call that must be made vLLM holds the arguments to the schema only where it is told.
        is_forced = conversation.tools.choice in (ToolChoice.REQUIRED, ToolChoice.NAMED)
        strict = {"strict": True} if is_forced else {}
        fields["tools"] = [_openai_tool(tool, strict) for tool in conversation.tools.declared]
        fields["tool_choice"] = _openai_choice(conversation.tools)
        fields["parallel_tool_calls"] = conversation.tools.parallel
    if sampling.structured_output is not None:
        fields["structured_outputs"] = to_structured_outputs(sampling.structured_output)
    return ChatCompletionRequest.model_validate(fields)


def _calling_messages(conversation: Conversation) -> list[dict[str, Any]]:
    return [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": part.id,
                    "type": "function",
                    "function": {"name": part.name, "arguments": part.arguments},
                }
                for part in message.parts
                if isinstance(part, ToolCallPart)
            ],
        }
        for message in conversation.messages
        if message.role is Role.ASSISTANT
    ]


def _openai_tool(tool: Tool, options: dict[str, Any]) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, **options}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters_json_schema:
        function["parameters"] = json.loads(tool.parameters_json_schema)
    return {"type": "function", "function": function}


def _openai_choice(tools: Tools) -> str | dict[str, Any]:
    if tools.choice is ToolChoice.NAMED:
        return {"type": "function", "function": {"name": tools.chosen_name}}
    return str(tools.choice)
