"""Jinja as transformers sets it up for chat templates, with a budget for all that they do.

Jinja's sandbox keeps a template from Python's insides, but not from running forever. So this one
puts steps into what it compiles (see `_Metering`), and pays for operators, calls, filters, tests
and joined output at the hooks that Jinja has. A rendering needs `spending(budget)` around it.
The text is the same as transformers', but for `lipsum`, a text by chance, which is left out.

Tested by tests/unit/prompt/test_chat_template.py and test_hostile_templates.py.
"""

# ruff: noqa: ANN401 - the values of a template are of any type

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes, pass_context
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import test_lower, test_upper
from jinja2.utils import _PassArg
from jinja2.visitor import NodeTransformer

from service.prompt.render_budget import current_budget, refuse, text_bytes
from service.prompt.template_costs import charge_call, charge_filter, charge_operator

_STEP, _ADMIT, _JOIN, _SLICE = (f"triptych_{name}" for name in ("step", "admit", "join", "slice"))
_MAX_TIME_FORMAT = 1000
_CONTAINERS = (list, tuple, dict)
_WithBody = nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block


def _join_output(pieces: Iterable[str]) -> str:
    """Join what a macro, a block or `{% set %}` has written. Jinja calls it `concat`."""
    budget = current_budget()
    pieces = list(pieces)
    budget.step()
    budget.take(sum(map(text_bytes, pieces)))
    return "".join(pieces)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Compiles chat templates; each has an environment of its own."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})
    concat = staticmethod(_join_output)

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[GenerationTag, loopcontrols],
            finalize=_pay_for_output,
        )
        self.filters["tojson"] = _to_json
        self.filters = {name: _paid(name, call) for name, call in self.filters.items()}
        self.filters |= {_STEP: _step, _ADMIT: _admit, _JOIN: _join, _SLICE: _slice}
        self.tests["lower"], self.tests["upper"] = _paid_test(test_lower), _paid_test(test_upper)
        del self.globals["lipsum"]
        self.globals["raise_exception"] = _raise
        self.globals["strftime_now"] = clock(None)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """Carry an operator out."""
        budget = current_budget()
        charge_operator(budget, operator, left, right)
        result = self.binop_table[operator](left, right)
        if isinstance(result, list | tuple):
            if operator == "+":
                budget.know(result, budget.size_of(left) + budget.size_of(right))
            else:
                budget.admit(result)
        return result

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063
        """Call what a template calls."""
        budget = current_budget()
        args = charge_call(budget, __obj, args, kwargs)
        result = super().call(__context, __obj, *args, **kwargs)
        if isinstance(result, _CONTAINERS):
            budget.admit(result)
        return result

    def call_test(self, *args: Any, **kwargs: Any) -> bool:
        """Apply a test to each item of a sequence, as `select` does."""
        current_budget().step()
        return bool(super().call_test(*args, **kwargs))

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        metered = _Metering(self).visit(source)
        return super()._generate(metered, *args, **kwargs)


class GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}`: marks answers for training, and writes them."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> nodes.Node:
        """Return what a call of a macro with this body is."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_write"), [], [], body).set_lineno(line)

    def _write(self, caller: Macro) -> str:
        return caller()


class _Metering(NodeTransformer):
    """Puts what is paid for into a template's syntax tree, as filters.

    A step before each turn of a loop, body of a macro or block, and comparison that may take long;
    slices, `~` and displays of lists, tuples and dicts go through a filter of their own.
    """

    def __init__(self, environment: TemplateEnvironment) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        if node.test is not None:
            node.test = nodes.And(self._filter(_STEP, nodes.Const(True)), node.test)
        return self._step_first(node)

    def visit_Macro(self, node: nodes.Macro | nodes.CallBlock | nodes.Block) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._step_first(node)

    visit_CallBlock = visit_Block = visit_Macro  # noqa: N815

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not all(map(_is_constant, [operand.expr for operand in node.ops])):
            node.expr = self._filter(_STEP, node.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        cut = [one or nodes.Const(None) for one in (node.arg.start, node.arg.stop, node.arg.step)]
        return self._filter(_SLICE, node.node, *cut)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._filter(_JOIN, nodes.Tuple(node.nodes, "load"))

    def visit_List(self, node: nodes.List | nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if _is_constant(node) else self._filter(_ADMIT, node)

    visit_Dict = visit_List  # noqa: N815

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if node.ctx != "load" or _is_constant(node):
            return node
        return self._filter(_ADMIT, node)

    def _step_first(self, node: _WithBody) -> nodes.Node:
        step = nodes.ExprStmt(self._filter(_STEP, nodes.Const(True)))
        node.body.insert(0, step)
        node.set_environment(self._environment)
        return node.set_lineno(node.lineno)

    def _filter(self, name: str, value: nodes.Expr, *args: nodes.Expr) -> nodes.Filter:
        """Return a filter with what the parser gives to those that it makes."""
        filtered = nodes.Filter(value, name, list(args), [], None, None)
        filtered.set_environment(self._environment)
        filtered.set_lineno(value.lineno or 1)
        return filtered


def clock(now: datetime | None) -> Callable[[str], str]:
    """Return `strftime_now`; with `now` it stands still."""

    def strftime_now(form: str) -> str:
        if len(form) > _MAX_TIME_FORMAT:
            refuse("it formats the time with too long a text")
        moment = now or datetime.now()  # noqa: DTZ005 - local time, as transformers gives it
        return moment.strftime(form)

    return strftime_now


def _is_constant(node: nodes.Node) -> bool:
    """Tell whether an expression holds nothing but what the template itself spells."""
    if isinstance(node, nodes.List | nodes.Tuple):
        return all(map(_is_constant, node.items))
    if isinstance(node, nodes.Dict):
        return all(_is_constant(pair.key) and _is_constant(pair.value) for pair in node.items)
    return isinstance(node, nodes.Const)


@pass_context
def _step(_: Context, value: Any) -> Any:
    current_budget().step()
    return value


@pass_context
def _admit(_: Context, value: Any) -> Any:
    current_budget().admit(value)
    return value


@pass_context
def _join(context: Context, values: tuple[Any, ...]) -> str:
    budget = current_budget()
    budget.step()
    budget.take(sum(map(budget.size_of, values)))
    return markup_join(values) if context.eval_ctx.autoescape else str_join(values)


@pass_context
def _slice(_: Context, value: Any, start: Any, stop: Any, step: Any) -> Any:
    budget = current_budget()
    budget.step()
    if isinstance(value, str):
        budget.take(text_bytes(value))
        return value[start:stop:step]
    result = value[start:stop:step]
    if isinstance(result, list | tuple):
        budget.take(8 * len(result))
        budget.know(result, budget.size_of(value))  # or less
    return result


def _pay_for_output(value: Any) -> Any:
    """Pay for what `{{ }}` writes, before it is made a text. Jinja calls it `finalize`."""
    if not isinstance(value, str):
        try:
            budget = current_budget()
        except LookupError:  # a constant, while the template is compiled
            return value
        budget.take(budget.size_of(value))
    return value


def limited_output(pieces: Iterator[str]) -> str:
    """Join what a template has written, as long as it is not too much."""
    budget = current_budget()
    written, size = [], 0
    for piece in pieces:
        size += text_bytes(piece)
        if size > budget.max_value_bytes:
            refuse("it writes too much")
        written.append(piece)
    return "".join(written)


def _paid(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that is paid for; as one with a context it is not tried while compiling."""
    passes = _PassArg.from_obj(call)

    @pass_context
    def paid(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        budget = current_budget()
        value = charge_filter(budget, name, value, args, kwargs)
        match passes:
            case _PassArg.context:
                result = call(context, value, *args, **kwargs)
            case _PassArg.eval_context:
                result = call(context.eval_ctx, value, *args, **kwargs)
            case _PassArg.environment:
                result = call(context.environment, value, *args, **kwargs)
            case _:
                result = call(value, *args, **kwargs)
        if isinstance(result, _CONTAINERS) and result is not value:
            budget.admit(result)
        return result

    return paid


def _paid_test(call: Callable[..., bool]) -> Callable[..., bool]:
    @pass_context
    def paid(_: Context, value: Any) -> bool:
        budget = current_budget()
        budget.take(budget.size_of(value))
        return call(value)

    return paid


def _raise(message: object) -> None:
    budget = current_budget()
    budget.take(budget.size_of(message))
    raise TemplateError(str(message))


def _to_json(
    value: object,
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002 - templates pass it by position too
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
