"""Structured outputs are tried in a worker, once each, and refused when that ends badly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import pytest

from service.domain.sampling import StructuredOutput, StructuredOutputKind
from service.errors import InvalidRequestError, MediaWorkerLostError
from service.ports import WorkerEnd, WorkerEndedError
from service.structures import CheckStructure, StructureChecker
from tests.fakes.in_process_workers import InProcessWorkers

SCHEMA = StructuredOutput(StructuredOutputKind.JSON_SCHEMA, '{"type": "object"}')
BROKEN = StructuredOutput(StructuredOutputKind.REGEX, "(")


def run_task(task: CheckStructure, _files: Sequence[BinaryIO]) -> None:
    if task.wanted == BROKEN:
        raise InvalidRequestError("structured_output.regex", "cannot be used")


@pytest.fixture
def workers() -> InProcessWorkers:
    return InProcessWorkers(run_task)


@pytest.fixture
def checker(workers: InProcessWorkers) -> StructureChecker:
    return StructureChecker(workers)


async def test_what_passed_is_not_tried_again(
    checker: StructureChecker, workers: InProcessWorkers
) -> None:
    await checker.check(SCHEMA)
    await checker.check(StructuredOutput(StructuredOutputKind.JSON_SCHEMA, SCHEMA.text))
    assert workers.tasks == [CheckStructure(SCHEMA)]


async def test_what_is_broken_is_refused_each_time(
    checker: StructureChecker, workers: InProcessWorkers
) -> None:
    for _ in range(2):
        with pytest.raises(InvalidRequestError, match=r"structured_output\.regex"):
            await checker.check(BROKEN)
    assert len(workers.tasks) == 2


@pytest.mark.parametrize("end", [end for end in WorkerEnd if end is not WorkerEnd.LOST])
async def test_what_ends_its_worker_is_the_callers_fault(
    checker: StructureChecker, workers: InProcessWorkers, end: WorkerEnd
) -> None:
    workers.next_end = WorkerEndedError(end)
    with pytest.raises(InvalidRequestError, match=f"costs too much to compile .{end}."):
        await checker.check(SCHEMA)
    await checker.check(SCHEMA)  # it is tried anew


async def test_a_worker_ended_from_outside_is_nobodys_fault(
    checker: StructureChecker, workers: InProcessWorkers
) -> None:
    workers.next_end = WorkerEndedError(WorkerEnd.LOST)
    with pytest.raises(MediaWorkerLostError):
        await checker.check(SCHEMA)


async def test_any_json_object_needs_no_trial(
    checker: StructureChecker, workers: InProcessWorkers
) -> None:
    await checker.check(StructuredOutput(StructuredOutputKind.JSON_OBJECT))
    assert not workers.tasks


async def test_what_is_remembered_is_bounded(
    checker: StructureChecker, workers: InProcessWorkers
) -> None:
    large = [
        StructuredOutput(StructuredOutputKind.GRAMMAR, f"{index:09}" * 100_000)
        for index in range(20)
    ]
    for wanted in [*large, large[-1], large[0]]:
        await checker.check(wanted)
    assert [task.wanted for task in workers.tasks] == [*large, large[0]]
