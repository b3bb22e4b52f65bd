"""Parsers in memory: `(…)` are thoughts, `<name:arguments>` a call, and all else is text.

They go by what they are given, a piece at a time, so that tests see what they were given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from service.domain.conversation import Conversation
from service.domain.events import GenerationRequest
from service.domain.parsed import CallPiece, ParsedPiece, ReasoningStart
from service.domain.sampling import Sampling, StructuredOutput, StructuredOutputKind
from service.domain.tools import ToolChoice


class FakeOutputParser:
    """Takes one output apart."""

    def __init__(self, prompt_token_ids: Sequence[int]) -> None:
        self.prompt_token_ids = list(prompt_token_ids)
        self.given: list[tuple[str, tuple[int, ...], bool]] = []
        self.reasoning_tokens = 0
        self._state = ""
        self._calls = 0

    def parse(self, text: str, token_ids: Sequence[int], *, is_last: bool) -> ParsedPiece:
        """Take the next piece apart."""
        self.given.append((text, tuple(token_ids), is_last))
        thoughts = said = ""
        calls: list[CallPiece] = []
        for character in text:
            if character in "(<":
                self._state = character
                if character == "<":
                    calls.append(CallPiece(self._calls, id=f"call {self._calls}", name="f"))
            elif character in ")>":
                self._calls += character == ">"
                self._state = ""
            elif self._state == "(":
                thoughts += character
                self.reasoning_tokens += 1
            elif self._state == "<":
                calls.append(CallPiece(self._calls, arguments=character))
            else:
                said += character
        return ParsedPiece(thoughts, said, tuple(calls))


class FakeParsingPlan:
    """Keeps the parsers that it opened."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.opened: list[FakeOutputParser] = []

    def begin(self, prompt_token_ids: Sequence[int]) -> ReasoningStart:
        """Tell that thoughts have ended where the prompt ends with a full stop."""
        return ReasoningStart(prompt_token_ids[-1] == ord("."), {"told": True})

    def open(self, prompt_token_ids: Sequence[int]) -> FakeOutputParser:
        """Return one more."""
        self.opened.append(FakeOutputParser(prompt_token_ids))
        return self.opened[-1]


class FakeParsers:
    """Plans for every conversation; a call that is required becomes a structured output."""

    def __init__(self, *, know_tools: bool = True) -> None:
        self.know_tools = know_tools
        self.plans: list[FakeParsingPlan] = []

    def plan(self, request: GenerationRequest) -> FakeParsingPlan | None:
        """Say how the answer is parsed."""
        if not isinstance(request.prompt, Conversation):
            return None
        sampling = dataclasses.replace(request.sampling, skip_special_tokens=False)
        if request.prompt.tools.choice is ToolChoice.REQUIRED:
            form = StructuredOutput(StructuredOutputKind.STRUCTURAL_TAG, "a call")
            sampling = dataclasses.replace(sampling, structured_output=form)
        self.plans.append(FakeParsingPlan(sampling))
        return self.plans[-1]
