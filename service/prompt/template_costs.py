"""The prices of what a chat template can call: operators, methods of texts, and filters.

Each function here pays for a call before it is made. What is not in a list below is paid as what
takes a text, or goes through a sequence, once. Numbers count as the lengths that they may be.

Tested by tests/unit/prompt/test_hostile_templates.py.
"""

# ruff: noqa: ANN401 - the values of a template are of any type

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import Any

from jinja2 import Undefined

from service.prompt.render_budget import RenderBudget, refuse, text_bytes

# Longer numbers are in no template; powers and products of them would be.
_MAX_NUMBER_BITS = 20_000
# For what takes time as the square of a text's length, or far more memory than it.
_MAX_ODD_CHARACTERS = 10_000
_PIECE_BYTES = 64
_LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_SPACES = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_LOOKING = {"count", "endswith", "find", "index", "rfind", "rindex", "startswith"}
_COPYING = {"lstrip", "partition", "removeprefix", "removesuffix", "rpartition", "rstrip", "strip"}
_CHANGING_CASE = {"capitalize", "casefold", "lower", "swapcase", "title", "upper"}
_PADDING = {"center", "ljust", "rjust", "zfill"}
_SPLITTING = {"rsplit", "split", "splitlines"}
_PLAIN_CODECS = {"ascii", "latin-1", "utf-8", "utf8"}
_LOOKUP = re.compile(r"\{[^{}]*[.\[]")
_QUOTES = re.compile(r"%[-#0-9 +.*]*[ra]|![ra]")
_DYNAMIC_WIDTH = re.compile(r"%[^%]*\*|\{[^{}]*\{")
_LONG_NUMBER = re.compile(r"\d{3,}")

Arguments = tuple[Any, ...]
Names = Mapping[str, Any]


def charge_operator(budget: RenderBudget, operator: str, left: Any, right: Any) -> None:
    """Pay for `+`, `*`, `%` or `**`."""
    budget.step()
    if isinstance(left, int) and isinstance(right, int):
        if operator == "**" and left.bit_length() * max(right, 0) > _MAX_NUMBER_BITS:
            refuse("it makes a number that is too large")
        if operator == "*" and left.bit_length() + right.bit_length() > _MAX_NUMBER_BITS:
            refuse("it makes a number that is too large")
    elif operator == "%" and isinstance(left, str | bytes):
        _charge_format(budget, str(left), right if isinstance(right, tuple) else (right,))
    elif operator == "*":
        sequence, times = (right, left) if isinstance(left, int) else (left, right)
        if isinstance(sequence, Sized) and isinstance(times, int):
            budget.take(max(times, 0) * budget.size_of(sequence))
    elif operator == "+" and isinstance(left, str | bytes | list | tuple):
        if isinstance(left, list | tuple):
            budget.take(_shallow_bytes(left) + _shallow_bytes(right))
        else:
            budget.take(budget.size_of(left) + budget.size_of(right))


def charge_call(budget: RenderBudget, called: Any, args: Arguments, names: Names) -> Arguments:
    """Pay for a call; return its arguments, iterators among them read where they must be."""
    budget.step()
    method = getattr(called, "__wrapped__", called)  # the sandbox wraps `format`
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    if isinstance(owner, str):
        return _charge_text_method(budget, owner, name, args, names)
    if isinstance(owner, bytes):
        if name != "decode" or len(owner) > _MAX_ODD_CHARACTERS:
            refuse(f"it calls {name} of bytes")
    elif isinstance(owner, type):
        if name == "fromkeys":
            refuse("it calls fromkeys")
    elif isinstance(owner, int | float):
        budget.take(_whole_numbers(args) + _whole_numbers(names.values()))
    elif isinstance(owner, list | tuple | dict):
        budget.step(len(owner) // 16)
    return args


def _charge_text_method(
    budget: RenderBudget, text: str, name: str, args: Arguments, names: Names
) -> Arguments:
    given = (*args, *names.values())
    if name == "join" and args:
        items = list(args[0])
        budget.take(sum(map(budget.size_of, items)) + len(items) * text_bytes(text))
        return (items, *args[1:])
    if name in _LOOKING or name.startswith("is"):
        budget.step(len(text) >> 12)
    elif name in {"format", "format_map"}:
        _charge_format(budget, text, given)
    elif name == "replace":
        _charge_replacement(budget, text, given)
    elif name in _SPLITTING:
        pieces = _most_pieces(text, name, args, names)
        budget.take(text_bytes(text) + _PIECE_BYTES * pieces)
    else:
        budget.take(_largest_result(budget, text, name, given))
    return args


def _largest_result(budget: RenderBudget, text: str, name: str, given: Sequence[Any]) -> int:
    """Return how many bytes a method that makes one text of one may need."""
    size = text_bytes(text)
    if name in _COPYING:
        return size
    if name in _CHANGING_CASE:
        return 3 * size
    if name in _PADDING:
        return size + 4 * _whole_numbers(given)
    if name == "expandtabs":
        return size + text.count("\t") * (_whole_numbers(given) or 8)
    if name == "encode" and {str(one).lower() for one in given} <= _PLAIN_CODECS:
        return size
    if len(text) > _MAX_ODD_CHARACTERS:
        refuse(f"it calls {name} of a long text")
    return 100 * size * (1 + budget.size_of(given))


def _most_pieces(text: str, name: str, args: Arguments, names: Names) -> int:
    """Return how many pieces a text may be split into."""
    separator = args[0] if args else names.get("sep")
    if name == "splitlines":
        return 1 + sum(map(text.count, _LINE_ENDS))
    if isinstance(separator, str):
        pieces = 1 + text.count(separator)
    else:
        pieces = 1 + (sum(map(text.count, _SPACES)) if text.isascii() else len(text) // 2)
    most = args[1] if len(args) > 1 else names.get("maxsplit", -1)
    return min(pieces, 1 + most) if isinstance(most, int) and most >= 0 else pieces


def _charge_replacement(budget: RenderBudget, text: str, given: Sequence[Any]) -> None:
    old, new = map(str, given[:2]) if len(given) > 1 else ("", "")
    times = text.count(old) if old else len(text) + 1
    if len(given) > 2 and isinstance(given[2], int) and given[2] >= 0:  # noqa: PLR2004 - the count
        times = min(times, given[2])
    budget.step(times >> 4)
    budget.take(text_bytes(text) + times * text_bytes(new))


def _charge_format(budget: RenderBudget, form: str, given: Sequence[Any]) -> None:
    """Pay for `form % given` and `form.format(*given)`; numbers in the form may be widths."""
    if _LOOKUP.search(form) and not all(map(_is_plain, given)):
        refuse("it formats an attribute of an object")
    widths = sum(min(int(number[:12]), 10**12) for number in _LONG_NUMBER.findall(form))
    if _DYNAMIC_WIDTH.search(form):
        widths += _whole_numbers(_flat(given))
    places = form.count("%") + form.count("{")
    quoted = _QUOTES.search(form) or not all(isinstance(one, str) for one in given)
    size = budget.size_of(tuple(given)) * (10 if quoted or hasattr(form, "__html__") else 1)
    budget.step(places)
    budget.take(text_bytes(form) + 4 * widths + places * size)


def charge_filter(
    budget: RenderBudget,
    name: str,
    value: Any,
    args: Arguments,
    names: Names,
) -> Any:
    """Pay for a filter; return its value, read where it is an iterator that must be."""
    budget.step()
    given = (*args, *names.values())
    if name in _FREE_FILTERS:
        return value
    if name in {"join", "list", "sort", "sum", "unique"} and not isinstance(
        value, Sized | Undefined
    ):
        value = _read(budget, value)
    price = _PRICES.get(name, _charge_sequence_filter)
    price(budget, value, given)
    return value


_FREE_FILTERS = {"abs", "attr", "count", "d", "default", "first", "float", "int", "last", "length"}
_FREE_FILTERS |= {"filesizeformat", "items", "random"}


def _read(budget: RenderBudget, iterator: Iterable[Any]) -> list[Any]:
    items = []
    for item in iterator:
        budget.step()
        items.append(item)
    return items


def _charge_sequence_filter(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    if isinstance(value, str):
        budget.take(_PIECE_BYTES * len(value))
    if isinstance(value, Sized):
        budget.step(len(value))
    whole = _whole_numbers(given)  # lines of `batch`, `slice`: filled up, or empty
    budget.step(whole)
    budget.take(8 * whole)


def _charge_text_filter(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    budget.take(3 * budget.size_of(value) + budget.size_of(tuple(given)))


def _charge_quoting(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    budget.take(12 * (budget.size_of(value) + budget.size_of(tuple(given))))


def _charge_padding(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    budget.take(budget.size_of(value) + 4 * _whole_numbers(given))


def _charge_odd_filter(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    size = budget.size_of(value)
    if size > _MAX_ODD_CHARACTERS:
        refuse("it has a costly filter for a long text")
    budget.step(size)
    budget.take(size * (100 + budget.size_of(tuple(given))))


def _charge_indent(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    lines = 1 + sum(map(str(value).count, _LINE_ENDS)) if isinstance(value, str) else 1
    width = max([4, *(len(one) for one in given if isinstance(one, str)), _whole_numbers(given)])
    budget.take(budget.size_of(value) + 4 * lines * width)


def _charge_join(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    items = () if isinstance(value, Undefined) else value
    budget.step(len(items))
    separators = len(items) * budget.size_of(tuple(given))
    budget.take(sum(map(budget.size_of, items)) + separators)


def _charge_replace_filter(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    budget.take(budget.size_of(value))
    _charge_replacement(budget, str(value), given)


def _charge_json(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    size = budget.size_of(value)
    indents = [len(one) for one in given if isinstance(one, str)]
    indent = max([0, *indents, _whole_numbers(given)])
    separators = sum(budget.size_of(one) for one in given if isinstance(one, tuple | list))
    # An item of a container has 8 bytes at least.
    budget.take(12 * size + size // 8 * (indent * _depth(value) + separators if given else 0))


def _charge_sum(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    if any(isinstance(one, list | tuple) for one in given):
        refuse("it adds up lists")
    budget.step(len(value) if isinstance(value, Sized) else 1)


def _charge_rounding(_: RenderBudget, __: Any, given: Sequence[Any]) -> None:
    if _whole_numbers(given) > 300:  # noqa: PLR2004 - a float has 308 places
        refuse("it rounds to too many places")


def _charge_format_filter(budget: RenderBudget, value: Any, given: Sequence[Any]) -> None:
    budget.take(budget.size_of(value))
    _charge_format(budget, str(value), given)


_PRICES: dict[str, Callable[[RenderBudget, Any, Sequence[Any]], None]] = {
    **dict.fromkeys(
        ("capitalize", "lower", "safe", "string", "title", "trim", "upper", "wordcount"),
        _charge_text_filter,
    ),
    "truncate": _charge_text_filter,
    **dict.fromkeys(("e", "escape", "forceescape", "urlencode"), _charge_quoting),
    **dict.fromkeys(("pprint", "striptags", "urlize", "wordwrap", "xmlattr"), _charge_odd_filter),
    "center": _charge_padding,
    "format": _charge_format_filter,
    "indent": _charge_indent,
    "join": _charge_join,
    "replace": _charge_replace_filter,
    "round": _charge_rounding,
    "sum": _charge_sum,
    "tojson": _charge_json,
}


def _shallow_bytes(value: Any) -> int:
    return 8 * len(value) if isinstance(value, Sized) else 0


def _whole_numbers(values: Iterable[Any]) -> int:
    return sum(abs(one) for one in values if isinstance(one, int) and not isinstance(one, bool))


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | Undefined)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list | tuple):
        return 1 + max(map(_depth, value), default=0)
    return 1
