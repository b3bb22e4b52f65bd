"""Tells whether a chat template wants a message's content as typed parts or as one string.

A template for parts goes through them: it has a loop over `message.content`, in the loop over the
messages or in a macro that is given the content. That is how vLLM tells (its content formats
"openai" and "string"), and the prompts are to be the same, so it is done as there, odd cases
included: a name counts by its spelling, wherever it is, and what is assigned to a name of several
parts, such as `ns.content`, ends the search.

Tested by tests/unit/prompt/test_content_format.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import nodes


def takes_parts(template: nodes.Template) -> bool:
    """Return True for a template that loops over the parts of a message."""
    try:
        messages = _aliases(template, "messages")
        spoken = {
            _plain_name(loop.target)
            for loop in template.find_all(nodes.For)
            if any(_reads(loop.iter, name) for name in messages)
        }
        loop = next(_content_loops(template, spoken), None)
        return loop is not None and bool(_plain_name(loop.target))
    except _UnclearError:
        return False


class _UnclearError(Exception):
    """Something is assigned to what is no plain name."""


def _content_loops(template: nodes.Template, spoken: set[str]) -> Iterator[nodes.For]:
    in_macros: dict[nodes.For, set[str]] = {}
    for macro in template.find_all(nodes.Macro):
        given = _parameters_given_content(template, macro, spoken)
        for loop in macro.find_all(nodes.For):
            in_macros[loop] = given or in_macros.get(loop, set())
    for loop in template.find_all(nodes.For):
        over = loop.iter.name if isinstance(loop.iter, nodes.Name) else None
        names = in_macros.get(loop, {"content"})
        if any(_reads(loop.iter, name, "content") for name in spoken) or over in names:
            yield loop


def _parameters_given_content(
    template: nodes.Template, macro: nodes.Macro, spoken: set[str]
) -> set[str]:
    names = [argument.name for argument in macro.args]
    given = set()
    for call in template.find_all(nodes.Call):
        if not isinstance(call.node, nodes.Name) or call.node.name != macro.name:
            continue
        pairs = list(zip(names, call.args, strict=False))
        pairs += [(keyword.key, keyword.value) for keyword in call.kwargs if keyword.key in names]
        given |= {
            name
            for name, value in pairs
            if any(_reads(value, message, "content") for message in spoken)
        }
    return given


def _aliases(template: nodes.Template, name: str) -> list[str]:
    """Return the name and all that it, or a part of it, is assigned to."""
    found = [name]
    for known in found:
        for assignment in template.find_all(nodes.Assign):
            if _reads(assignment.node, known):
                target = _plain_name(assignment.target)
                if target not in found:
                    found.append(target)
    return found


def _reads(node: Any, name: str, key: str | None = None) -> bool:  # noqa: ANN401
    """Tell whether an expression is the variable (or its `key`), filtered, tested or sliced."""
    while True:
        is_slice = isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)
        if not is_slice and not isinstance(node, nodes.Filter | nodes.Test):
            break
        node = node.node
    if key is not None:
        if isinstance(node, nodes.Getitem):
            if not isinstance(node.arg, nodes.Const) or node.arg.value != key:
                return False
        elif not isinstance(node, nodes.Getattr) or node.attr != key:
            return False
        node = node.node
    return isinstance(node, nodes.Name) and node.ctx == "load" and node.name == name


def _plain_name(target: nodes.Node) -> str:
    if not isinstance(target, nodes.Name):
        raise _UnclearError
    return target.name
