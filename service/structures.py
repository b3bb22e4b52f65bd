"""Whether a structured output can be used: tried in a worker process, before the engine sees it.

vLLM's backends compile schemas, expressions and grammars inside the engine process and ask them at
every step, for all requests in turn; one of a few bytes can cost seconds a token. So each is tried
first where it can be stopped, and refused when it costs too much. Those that passed are remembered.

Tested by tests/unit/test_structures.py and, on the real backends, by
tests/unit/engine/test_structure_check.py.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from service.domain.sampling import StructuredOutput, StructuredOutputKind
from service.errors import InvalidRequestError, MediaWorkerLostError
from service.ports import WorkerEnd, WorkerEndedError, Workers

# Compiling and trying takes milliseconds; the first one of a worker loads the vocabulary.
_WALL_S = 15.0
_MOST_REMEMBERED_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class CheckStructure:
    """The task: raises InvalidRequestError where the structured output cannot be used."""

    wanted: StructuredOutput


class StructureChecker:
    """Tries structured outputs in `workers`."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._passed: OrderedDict[StructuredOutput, int] = OrderedDict()
        self._passed_bytes = 0

    async def check(self, wanted: StructuredOutput) -> None:
        """Raise InvalidRequestError for one that is broken or costs too much."""
        if wanted.kind is StructuredOutputKind.JSON_OBJECT:
            return
        if wanted in self._passed:
            self._passed.move_to_end(wanted)
            return
        try:
            await self._workers.run(CheckStructure(wanted), wall_s=_WALL_S, aside=True)
        except WorkerEndedError as ended:
            raise _refusal(wanted, ended) from ended
        self._remember(wanted)

    def _remember(self, wanted: StructuredOutput) -> None:
        if wanted in self._passed:  # by another request, meanwhile
            return
        size = len(wanted.text) + sum(map(len, wanted.choices))
        self._passed[wanted] = size
        self._passed_bytes += size
        while self._passed_bytes > _MOST_REMEMBERED_BYTES:
            self._passed_bytes -= self._passed.popitem(last=False)[1]


def _refusal(
    wanted: StructuredOutput, ended: WorkerEndedError
) -> InvalidRequestError | MediaWorkerLostError:
    field = f"structured_output.{wanted.kind}"
    if ended.end is WorkerEnd.LOST:
        return MediaWorkerLostError(
            f"{field}: the process that tried it was ended from outside; retry", field=field
        )
    return InvalidRequestError(
        field, f"costs too much to compile ({ended.end}); make it smaller or bound its repetitions"
    )
