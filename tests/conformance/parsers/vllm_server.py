"""vLLM's own OpenAI server from the engine's ids on: its detokenizer and its streaming chat.

Imports vLLM, which takes a while: imported by the tests that need it, when they run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

from vllm.entrypoints.generate.base.protocol import RequestResponseMetadata
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.chat_completion.serving import OpenAIServingChat
from vllm.outputs import CompletionOutput, RequestOutput
from vllm.parser.parser_manager import ParserManager
from vllm.v1.engine import EngineCoreRequest
from vllm.v1.engine.detokenizer import IncrementalDetokenizer

from service.domain.tools import ToolChoice
from tests.conformance.parsers.recordings import Recording
from tests.conformance.parsers.steps import Step

MODEL_CONFIG: Any = SimpleNamespace(
    model="a model",
    hf_config=SimpleNamespace(model_type="any"),
    hf_text_config=SimpleNamespace(model_type="any"),
    hf_overrides=None,
)


class VllmChat:
    """The server of a recording's model."""

    def __init__(self, tokenizer: Any, recording: Recording) -> None:
        self._tokenizer = tokenizer
        self._recording = recording
        # Its constructor wants a running engine; these are all that streaming reads.
        server: Any = OpenAIServingChat.__new__(OpenAIServingChat)
        server.model_config = MODEL_CONFIG
        server.response_role = "assistant"
        server.enable_auto_tools = recording.tool_parser is not None
        server.enable_log_outputs = server.enable_per_request_metrics = False
        server.enable_prompt_tokens_details = False
        server.enable_force_include_usage = True
        server.request_logger = server.system_fingerprint = None
        server._include_reasoning_tokens_details = bool(recording.reasoning_parser)
        server.parser_cls = ParserManager.get_parser(
            tool_parser_name=recording.tool_parser,
            reasoning_parser_name=recording.reasoning_parser,
            enable_auto_tools=server.enable_auto_tools,
            model_name=MODEL_CONFIG.model,
            tokenizer=tokenizer,
        )
        self._server = server

    def stream(self, prompt_ids: list[int], steps: Sequence[Step]) -> dict[str, Any]:
        """Return what the stream's chunks say, joined."""
        request = self._adjusted_request()
        arguments = request.build_chat_params(None, "auto").chat_template_kwargs
        chunks = self._server.chat_completion_stream_generator(
            request,
            self._results(request, prompt_ids, steps),
            "r",
            MODEL_CONFIG.model,
            [],
            self._tokenizer,
            RequestResponseMetadata(request_id="r"),
            chat_template_kwargs=arguments,
        )
        return asyncio.run(_joined(chunks))

    def _adjusted_request(self) -> ChatCompletionRequest:
        tools = self._recording.tools
        body: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "stream": True}
        if tools.declared:
            is_forced = tools.choice in (ToolChoice.REQUIRED, ToolChoice.NAMED)
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": json.loads(tool.parameters_json_schema),
                        "strict": is_forced or None,
                    },
                }
                for tool in tools.declared
            ]
            named = {"type": "function", "function": {"name": tools.chosen_name}}
            body["tool_choice"] = named if tools.chosen_name else str(tools.choice)
            body["parallel_tool_calls"] = tools.parallel
        request = ChatCompletionRequest.model_validate(body)
        # As `OnlineRenderer.preprocess_chat` decides it.
        parser_class = self._server.parser_cls
        if parser_class.reasoning_parser_cls is not None or request.tool_choice != "none":
            arguments = request.build_chat_params(None, "auto").chat_template_kwargs
            parser = self._server._make_parser(request, self._tokenizer, arguments)
            request = parser.adjust_request(request)
        return request

    async def _results(
        self, request: ChatCompletionRequest, prompt_ids: list[int], steps: Sequence[Step]
    ) -> AsyncIterator[RequestOutput]:
        params = request.to_sampling_params(1000, {})
        core = EngineCoreRequest("r", prompt_ids, None, params, None, 0.0, None, None, None)
        detokenizer = IncrementalDetokenizer.from_new_request(self._tokenizer, core)
        for step in steps:
            is_stop = step.finish_reason == "stop"
            detokenizer.update(list(step.token_ids), is_stop)
            text = detokenizer.get_next_output_text(step.finish_reason is not None, delta=True)
            output = CompletionOutput(
                0, text, list(step.token_ids), None, None, finish_reason=step.finish_reason
            )
            yield RequestOutput(
                "r", None, prompt_ids, None, [output], step.finish_reason is not None
            )


async def _joined(chunks: AsyncIterator[str]) -> dict[str, Any]:
    whole: dict[str, Any] = {"reasoning": "", "content": "", "calls": []}
    async for line in chunks:
        data = line.removeprefix("data: ").strip()
        if data == "[DONE]":
            continue
        chunk = json.loads(data)
        assert "error" not in chunk, chunk
        if chunk.get("usage"):
            details = chunk["usage"].get("completion_tokens_details") or {}
            whole["reasoning_tokens"] = details.get("reasoning_tokens", 0)
        for choice in chunk["choices"]:
            delta = choice["delta"]
            whole["reasoning"] += delta.get("reasoning") or ""
            whole["content"] += delta.get("content") or ""
            for call in delta.get("tool_calls") or ():
                _add_call(whole, call)
    return whole


def _add_call(whole: dict[str, Any], call: dict[str, Any]) -> None:
    while len(whole["calls"]) <= call["index"]:
        whole["calls"].append(["", ""])
    function = call.get("function") or {}
    known = whole["calls"][call["index"]]
    known[0] = known[0] or function.get("name") or ""
    known[1] += function.get("arguments") or ""
