"""The held-out set is the same each time, and its check is fair."""

from __future__ import annotations

from demo import evaluation_set


def _outline(item: evaluation_set.Item) -> tuple[object, ...]:
    """Return what must not change: no bytes, as OGG and WebM files hold a random stream id."""
    parts = tuple(
        part if isinstance(part, str) else (part.kind, part.format, len(part.data))
        for part in item.parts
    )
    return item.task, parts, item.expected


def test_items_are_the_same_each_time() -> None:
    """Two runs yield the same questions, kinds and sizes of media, and answers."""
    for task in evaluation_set.tasks():
        first, second = (list(map(_outline, evaluation_set.items(task, 2))) for _ in range(2))
        assert first == second


def test_case_and_end_marks_do_not_count() -> None:
    """An answer may differ from the expected one in case, commas and full stops only."""
    item = evaluation_set.Item("image_name", ("What is this?",), "a red circle")

    assert item.is_right("A red circle.")
    assert not item.is_right("a red square")
