"""Where requests are: counted in one stage at a time, moved by whatever works for them."""

from __future__ import annotations

import asyncio

from prometheus_client import REGISTRY

from service.telemetry.progress import Progress, Stage, enter_stage


def count(stage: Stage) -> float:
    return REGISTRY.get_sample_value("triptych_requests", {"stage": stage}) or 0.0


def test_a_request_is_counted_in_one_stage_until_it_leaves() -> None:
    before = {stage: count(stage) for stage in Stage}
    progress = Progress()
    assert count(Stage.PROMPT) == before[Stage.PROMPT] + 1
    progress.enter(Stage.ENGINE)
    progress.enter(Stage.ENGINE)
    assert count(Stage.PROMPT) == before[Stage.PROMPT]
    assert count(Stage.ENGINE) == before[Stage.ENGINE] + 1
    progress.leave()
    progress.leave()
    progress.enter(Stage.WRITING)
    assert {stage: count(stage) for stage in Stage} == before


async def test_tasks_that_work_for_a_request_move_it_and_no_other() -> None:
    one, other = Progress(), Progress()

    async def work(progress: Progress, stage: Stage) -> None:
        with progress.followed():
            async with asyncio.TaskGroup() as group:
                group.create_task(_enter(stage))

    await asyncio.gather(work(one, Stage.FETCH), work(other, Stage.MEDIA))

    assert (one.stage, other.stage) == (Stage.FETCH, Stage.MEDIA)
    one.leave()
    other.leave()


async def _enter(stage: Stage) -> None:
    enter_stage(stage)


def test_work_for_no_request_moves_nothing() -> None:
    before = {stage: count(stage) for stage in Stage}
    enter_stage(Stage.FETCH)
    progress = Progress()
    with progress.followed():
        enter_stage(Stage.FETCH)
    enter_stage(Stage.MEDIA)
    assert progress.stage is Stage.FETCH
    progress.leave()
    assert {stage: count(stage) for stage in Stage} == before
