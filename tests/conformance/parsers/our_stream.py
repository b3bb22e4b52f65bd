"""Our way from the engine's ids on: the sidecar's stream, decoder, vLLM's parsers, events."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from service.domain.conversation import Conversation, Message, Role, TextPart
from service.domain.events import EngineDelta, Event, FinishReason, GenerationRequest
from service.engine.output_parsers import VllmParsers
from service.output_decoder import OutputDecoder
from service.output_parsing import OutputParsing
from service.ports import Tokenizer
from service.rpc.responses import from_event, join
from service.token_texts import TokenTexts
from tests.conformance.parsers.recordings import Recording
from tests.conformance.parsers.steps import Step
from tests.conformance.parsers.vllm_server import MODEL_CONFIG
from triptych.v1 import generation_service_pb2 as pb

_REASONS = {None: None, "stop": FinishReason.STOP, "length": FinishReason.LENGTH}


class OurStream:
    """The parsers of a recording's model."""

    def __init__(self, vllm_tokenizer: Any, recording: Recording) -> None:
        config: Any = SimpleNamespace(
            model_config=MODEL_CONFIG,
            structured_outputs_config=SimpleNamespace(reasoning_parser=recording.reasoning_parser),
        )
        parsers = VllmParsers.load(config, vllm_tokenizer, recording.tool_parser)
        assert parsers is not None
        self._parsers = parsers
        message = Message(Role.USER, (TextPart("hi"),))
        self._request = GenerationRequest(
            "", Conversation((message,), recording.tools), include_token_ids=True
        )

    async def stream(
        self, tokenizer: Tokenizer, prompt_ids: list[int], steps: Sequence[Step]
    ) -> tuple[pb.Output, int]:
        """Return the joined output and how many tokens were thoughts."""
        plan = self._parsers.plan(self._request)
        assert plan is not None
        request = GenerationRequest(
            "", self._request.prompt, sampling=plan.sampling, include_token_ids=True
        )
        parsing = OutputParsing(plan, prompt_ids, 1)
        decoder = OutputDecoder(tokenizer, TokenTexts(tokenizer), request, prompt_ids, parsing)
        events: list[Event] = []
        for step in steps:
            delta = EngineDelta(0, step.token_ids, _REASONS[step.finish_reason])
            events += await decoder.decode(delta)
        decoder.close()
        return join(map(from_event, events)).outputs[0], parsing.reasoning_tokens
