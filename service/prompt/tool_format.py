"""Tells whether a chat template writes tools, and the calls of earlier turns.

One that names neither would leave them out without a word. It is told by names: a template that
writes tools reads the variable `tools`, and one that writes calls the key `tool_calls`.

Tested by tests/unit/prompt/test_template_tools.py.
"""

from __future__ import annotations

from jinja2 import nodes


def knows_tools(template: nodes.Template) -> bool:
    """Return True for a template that reads the tools that may be called."""
    return any(name.name == "tools" for name in template.find_all(nodes.Name))


def knows_calls(template: nodes.Template) -> bool:
    """Return True for a template that reads the calls in a message."""
    return any(
        (isinstance(node, nodes.Getattr) and node.attr == "tool_calls")
        or (isinstance(node, nodes.Const) and node.value == "tool_calls")
        for node in template.find_all((nodes.Getattr, nodes.Const))
    )
