"""Count right answers by task and print them against the targets."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from demo import evaluation_set
from demo.evaluation_set import TARGETS, Item


@dataclass
class Score:
    """How a task went: number asked, number right, and the first few wrong answers."""

    asked: int = 0
    right: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Return the share of right answers, 0 where nothing was asked."""
        return self.right / self.asked if self.asked else 0.0


def all_items(number: int) -> list[Item]:
    """Return `number` items of each task."""
    return [item for task in evaluation_set.tasks() for item in evaluation_set.items(task, number)]


def score(items: list[Item], answers: list[str]) -> dict[str, Score]:
    """Hold the answers against the items, task by task."""
    scores: dict[str, Score] = {}
    for item, answer in zip(items, answers, strict=True):
        of_task = scores.setdefault(item.task, Score())
        of_task.asked += 1
        if item.is_right(answer):
            of_task.right += 1
        else:
            of_task.wrong.append((item.expected, answer))
    return scores


def report(scores: dict[str, Score], shown_mistakes: int = 0) -> bool:
    """Print the table, and some mistakes; return whether every target is met."""
    sys.stdout.write(f"{'task':<20}{'n':>6}{'right':>7}{'share':>8}{'target':>8}\n")
    for task, of_task in scores.items():
        missed = "  missed" if of_task.share < TARGETS[task] else ""
        numbers = f"{of_task.asked:>6}{of_task.right:>7}{of_task.share:>8.1%}{TARGETS[task]:>8.0%}"
        sys.stdout.write(f"{task:<20}{numbers}{missed}\n")
        for expected, answer in of_task.wrong[:shown_mistakes]:
            sys.stdout.write(f"    expected {expected!r}, got {answer!r}\n")
    return all(of_task.share >= TARGETS[task] for task, of_task in scores.items())
