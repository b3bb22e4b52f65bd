"""From an answer's text to its events where parsers run: thoughts, text, and calls of tools.

Token ids and log probabilities of a step go with its first thoughts or text; where it has neither,
as inside a call, with a text that is empty. So, joined, they are those of the whole output.

Tested by tests/unit/test_output_parsing.py on fakes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from service.domain.conversation import Conversation
from service.domain.events import Event, GenerationRequest, ReasoningDelta, TextDelta, ToolCallDelta
from service.domain.parsed import ParsedPiece
from service.domain.sampling import StructuredOutput
from service.errors import InvalidRequestError
from service.ports import OutputParser, OutputParsers, ParsingPlan, StructureTester


async def plan_parsing(
    parsers: OutputParsers | None, structures: StructureTester, request: GenerationRequest
) -> ParsingPlan | None:
    """Say how the answer is parsed; None: not at all. Raises InvalidRequestError."""
    prompt = request.prompt
    knows_tools = parsers is not None and parsers.know_tools
    if isinstance(prompt, Conversation) and prompt.tools.told and not knows_tools:
        raise InvalidRequestError("tools", "need a server with --tool-call-parser")
    plan = parsers.plan(request) if parsers is not None else None
    if plan is not None:
        made = plan.sampling.structured_output
        if made is not None and made != request.sampling.structured_output:
            await _check_tools(structures, made)
    return plan


async def _check_tools(structures: StructureTester, made: StructuredOutput) -> None:
    try:
        await structures.check(made)
    except InvalidRequestError as exc:
        _, problem = exc.violations[0]
        raise InvalidRequestError(
            "tools", f"have a schema that no call can be held to: {problem}"
        ) from exc


class OutputParsing:
    """Takes the outputs of one answer apart."""

    def __init__(self, plan: ParsingPlan, prompt_token_ids: Sequence[int], outputs: int) -> None:
        self._parsers: list[OutputParser] = [plan.open(prompt_token_ids) for _ in range(outputs)]
        self.reasoning_start = plan.begin(prompt_token_ids)

    def parse(self, delta: TextDelta, token_ids: Sequence[int], *, is_last: bool) -> list[Event]:
        """Return the events of a step that gave these ids; `is_last` is its output's last."""
        parser = self._parsers[delta.output_index]
        return _events(delta, parser.parse(delta.text, token_ids, is_last=is_last))

    @property
    def reasoning_tokens(self) -> int:
        """How many tokens were thoughts, over all outputs."""
        return sum(parser.reasoning_tokens for parser in self._parsers)


def _events(delta: TextDelta, piece: ParsedPiece) -> list[Event]:
    index, events = delta.output_index, list[Event]()
    if piece.reasoning:
        events.append(ReasoningDelta(index, piece.reasoning, delta.token_ids, delta.logprobs))
        delta = TextDelta(index, "")
    if piece.text or delta.token_ids or delta.logprobs:
        events.append(dataclasses.replace(delta, text=piece.text))
    for call in piece.calls:
        if call.id or call.name or call.arguments:
            events.append(ToolCallDelta(index, call.index, call.id, call.name, call.arguments))
    return events
