"""Prompts that nobody answers (to be counted, or looked at), made as visits of the server's guests.

They take no slot of the engine's, but their media take the workers' time, and all of it memory: so
they wait in the same room as requests for an answer, are bounded with them, share the workers with
them caller by caller, and end with their deadlines.

Tested by tests/unit/rpc/test_admission.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.admission import Admission
from service.deadline import answer_by
from service.domain.events import GenerationRequest
from service.domain.prompt_preview import MeasuredPrompt, PromptPreview
from service.prompter import Prompter


@dataclass(frozen=True, slots=True)
class PromptVisits:
    """A prompter that lets requests in first."""

    prompter: Prompter
    admission: Admission
    deadline_margin_s: float = 0.25

    async def measure(self, request: GenerationRequest) -> MeasuredPrompt:
        """Make the prompt to know its size; raises errors of errors.py."""
        async with self._visit(request):
            return await self.prompter.measure(request)

    async def preview(self, request: GenerationRequest) -> PromptPreview:
        """Make the prompt to look at; raises errors of errors.py."""
        async with self._visit(request):
            return await self.prompter.preview(request)

    @asynccontextmanager
    async def _visit(self, request: GenerationRequest) -> AsyncIterator[None]:
        with self.admission.visit(request.caller) as visit:
            async with visit.bounded(answer_by(request.deadline, self.deadline_margin_s)):
                yield
