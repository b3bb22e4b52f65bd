"""What one rendering of a chat template may cost: steps, bytes and seconds.

A template is a program from a checkpoint that somebody else made, and it works on texts of any
caller. It runs in this process, so that rendering costs no more than it must; therefore all that
can loop or allocate asks here first: `step` before each turn of a loop, call, operator and
filter, `take` before each new value. Prices are upper bounds of what Python will need.

Containers cannot be changed by a template, but can hold the same one twice, thirty levels deep:
small in memory and endless to print or to compare. So the size of each as a tree is bounded when
it is made (`admit`), and nothing that goes through one later can take long.

Tested by tests/unit/prompt/test_hostile_templates.py.
"""

# ruff: noqa: ANN401 - the values of a template are of any type

from __future__ import annotations

import time
from collections.abc import ItemsView, Iterator, ValuesView
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from jinja2.utils import Namespace

_MIB = 1 << 20
# The costliest templates known take 25 steps a message.
_STEPS = 200_000
_STEPS_A_MESSAGE = 500
_BYTES = 256 * _MIB
# Each text may be copied so often, whatever its length.
_COPIES = 16
_VALUE_BYTES = 64 * _MIB
_REFERENCE_BYTES = 8


class TemplateLimitError(Exception):
    """A template did more than it may; `ran_out_of_time` where more time might have helped."""

    def __init__(self, message: str, *, ran_out_of_time: bool = False) -> None:
        super().__init__(message)
        self.ran_out_of_time = ran_out_of_time


class RenderBudget:
    """The budget of one rendering of `messages`, whose texts have `text_bytes` together."""

    __slots__ = ("_deadline", "_sizes", "bytes_left", "max_value_bytes", "steps_left")

    def __init__(self, *, messages: int, text_bytes: int, seconds: float) -> None:
        self.steps_left = _STEPS + _STEPS_A_MESSAGE * messages
        self.bytes_left = _BYTES + _COPIES * text_bytes
        self.max_value_bytes = _VALUE_BYTES + 4 * text_bytes
        self._deadline = time.monotonic() + seconds
        # Of containers by their id, which stays theirs because they are kept here.
        self._sizes: dict[int, tuple[Any, int]] = {}

    def step(self, count: int = 1) -> None:
        """Pay for work that takes about `count` microseconds or less."""
        self.steps_left -= count
        if self.steps_left < 0:
            raise TemplateLimitError("it takes too many steps")
        if time.monotonic() > self._deadline:
            raise TemplateLimitError("it takes too long", ran_out_of_time=True)

    def take(self, size: int) -> None:
        """Pay for a value of that many bytes that is about to be made."""
        if size > self.max_value_bytes or size > self.bytes_left:
            refuse("it would need too much memory")
        self.bytes_left -= size

    def admit(self, container: Any) -> None:
        """Check the size of a new list, tuple or dict, all that it holds counted each time."""
        if self.size_of(container) > self.max_value_bytes:
            refuse("it makes a value that is too large")
        self.take(_REFERENCE_BYTES * len(container))

    def size_of(self, value: Any) -> int:  # noqa: PLR0911 - one for each kind
        """Return how many bytes a value has as a text, about; never less than its characters."""
        if isinstance(value, str):
            return text_bytes(value)
        if isinstance(value, list | tuple | dict):
            known = self._sizes.get(id(value))
            if known is None:
                known = (value, self._size_of_items(value))
                self._sizes[id(value)] = known
            return known[1]
        if isinstance(value, int):
            return 8 + value.bit_length() // 3
        if isinstance(value, bytes | range):
            return _REFERENCE_BYTES * len(value)
        if isinstance(value, Namespace):
            return self._size_of_items(object.__getattribute__(value, "_Namespace__attrs"))
        if isinstance(value, ItemsView | ValuesView):
            return self._size_of_items(list(value))
        return 64

    def know(self, container: Any, size: int) -> None:
        """Note the size of a container that was made of others, so that nobody goes through it."""
        if size > self.max_value_bytes:
            refuse("it makes a value that is too large")
        self._sizes[id(container)] = (container, size)

    def _size_of_items(self, container: Any) -> int:
        self.step(4 + len(container))
        size = 64 + _REFERENCE_BYTES * len(container)
        size += sum(map(self.size_of, container))
        if isinstance(container, dict):
            size += sum(map(self.size_of, container.values()))
        if size > self.max_value_bytes:
            refuse("it makes a value that is too large")
        return size


def text_bytes(text: str) -> int:
    """Return how many bytes a text takes at most."""
    return len(text) if text.isascii() else 4 * len(text)


def refuse(problem: str) -> NoReturn:
    """Stop the template."""
    raise TemplateLimitError(problem)


_CURRENT: ContextVar[RenderBudget] = ContextVar("budget")


@contextmanager
def spending(budget: RenderBudget) -> Iterator[None]:
    """Let all that is rendered inside be paid from this budget."""
    token = _CURRENT.set(budget)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_budget() -> RenderBudget:
    """Return the budget of the rendering that runs; LookupError outside of one."""
    return _CURRENT.get()
