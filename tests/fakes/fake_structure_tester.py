"""A tester of structured outputs in memory: it refuses those that say `broken`."""

from __future__ import annotations

from service.domain.sampling import StructuredOutput
from service.errors import InvalidRequestError


class FakeStructureTester:
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[StructuredOutput] = []

    async def check(self, wanted: StructuredOutput) -> None:
        """Refuse a text of `broken`."""
        self.asked.append(wanted)
        if wanted.text == "broken":
            raise InvalidRequestError(f"structured_output.{wanted.kind}", "cannot be used: broken")
