"""A template that would loop, allocate or dig is stopped, long before it hurts."""

from __future__ import annotations

import tracemalloc

import pytest

from service.errors import TemplateRefusedError
from service.prompt.chat_template import ChatTemplate

MEMORY, LARGE, STEPS = (
    "it would need too much memory",
    "a value that is too large",
    "too many steps",
)
RECURSION = "maximum recursion depth exceeded"
MESSAGES = [{"role": "user", "content": "hello"}]
BIG = "{% set big = 'x' * 10000000 %}"


def growing(start: str, step: str, use: str) -> str:
    """Return a template that changes `ns.s` forty times, then uses it."""
    return (
        f"{{% set ns = namespace(s={start}) %}}{{% for i in range(40) %}}"
        f"{{% set ns.s = {step} %}}{{% endfor %}}{{{{ {use} }}}}"
    )


def repeated(times: int, expression: str) -> str:
    """Return a template that keeps so many results."""
    return BIG + "".join(f"{{% set x{i} = {expression} %}}" for i in range(times))


NESTED_LOOP = "{% for i in range(100000) %}{% for j in range(100000) BODY{% endfor %}{% endfor %}"
TREE = ("namespace()", "namespace(a=ns.s, b=ns.s)")
LOOPS = {
    NESTED_LOOP.replace("BODY", "%}"): STEPS,
    NESTED_LOOP.replace("BODY", "if false %}"): STEPS,
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(99) }}": (
        STEPS
    ),
    "{% for i in [1, 1] recursive %}{% if loop.depth < 99 %}{{ loop([1, 1]) }}{% endif %}"
    "{% endfor %}": STEPS,
    "{{ range(100000) | select('in', range(100000)) | list }}{{ range(100000) | map('string') "
    "| list }}{{ range(100000) | map('string') | list }}": STEPS,
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": RECURSION,
    "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}": RECURSION,
    "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}": RECURSION,
    "{{ ['a'] | batch(10**9, 'x') | list }}": STEPS,
    "{{ ['a'] | slice(10**9) | list }}": STEPS,
    "{{ range(10**12) | list }}": "Range too big",
    **{growing(*TREE, use): STEPS for use in ("ns.s", "ns.s ~ ''", "ns.s | string", "'%s' % ns.s")},
    **{
        growing(*TREE, use): STEPS
        for use in ("'{}'.format(ns.s)", "[ns.s] | join", "ns.s is upper", "raise_exception(ns.s)")
    },
}
TREES = {
    growing("[1]", step, use): LARGE
    for step in ("[ns.s, ns.s]", "(ns.s, ns.s)", "{'a': ns.s, 'b': ns.s}", "dict(a=ns.s, b=ns.s)")
    for use in ("ns.s", "ns.s == ns.s", "ns.s | tojson")
}
ALLOCATIONS = {
    **dict.fromkeys(
        (
            "'x' * 10**9",
            "'x' * 1000000000",
            "10**9 * 'x'",
            "[1] * 10**9",
            "'%999999999d' % 1",
            "'%*d' % (10**9, 1)",
            "'%.999999999f' % 1.5",
            "'%999999999d' | format(1)",
            "('%(a)s' * 1000) % {'a': 'x' * 1000000}",
            "'{:999999999}'.format(1)",
            "'{:{w}}'.format(1, w=10**9)",
            "'{:999999999}'.format_map({})",
            "('{0}' * 1000).format('x' * 1000000)",
            "'a' | center(10**9)",
            "'a' | center(1000000000)",
            "'a'.center(10**9)",
            "'a'.ljust(10**9)",
            "'a'.rjust(width=10**9)",
            "'a'.zfill(10**9)",
            "('\t' * 1000).expandtabs(10**8)",
            "'a' | indent(10**9, true)",
            "('a\n' * 1000000) | indent(1000)",
            "('a' * 100000) | replace('a', 'b' * 100000)",
            "('a' * 100000).replace('', 'b' * 100000)",
            "(['a'] * 100000) | join('b' * 100000)",
            "('b' * 100000).join('a' * 100000)",
            "('a' * 4000).translate({97: 'b' * 100000})",
            "('a ' * 9000000).split()",
            "('x' * 30000000) | list",
            "(1).to_bytes(10**9, 'big')",
            "messages | tojson(indent=10**9)",
            "messages | tojson(separators=('x' * 60000000, 'y'))",
        ),
        MEMORY,
    ),
    "('{0.a}' * 1000).format(namespace(a='x' * 1000000))": "it formats an attribute of an object",
    "('{0[0].a}' * 1000).format([namespace(a='x')])": "it formats an attribute of an object",
    "('a' * 100000).translate({97: 'b'})": "it calls translate of a long text",
    "('a' * 100000).encode('punycode')": "it calls encode of a long text",
    "('a' * 100000).encode().hex()": "it calls hex of bytes",
    "('<!--' * 100000) | striptags": "it has a costly filter for a long text",
    "('a ' * 100000) | wordwrap(1)": "it has a costly filter for a long text",
    "{}.fromkeys(range(100000), 'x')": "it calls fromkeys",
    "[[1], [2]] | sum(start=[])": "it adds up lists",
    "1.5 | round(10**9, 'floor')": "it rounds to too many places",
    "2 ** (10 ** 9)": "it makes a number that is too large",
    "strftime_now('%Y' * 1000)": "it formats the time with too long a text",
    "lipsum(10**9)": "'lipsum' is undefined",
}
GROWTHS = {
    growing("'x'", "ns.s + ns.s", "1"): MEMORY,
    growing("'x'", "ns.s ~ ns.s", "1"): MEMORY,
    growing("'x'", "ns.s * 2", "1"): MEMORY,
    growing("'x'", "'%s%s' % (ns.s, ns.s)", "1"): MEMORY,
    growing("'x'", "[ns.s, ns.s] | join", "1"): LARGE,
    growing("[1]", "ns.s + ns.s", "1"): LARGE,
    growing("7", "ns.s * ns.s", "1"): "a number that is too large",
    BIG + "{% for i in range(1000) %}{{ big }}{% endfor %}": "it writes too much",
    BIG + "{% macro f() %}{% for i in range(1000) %}{{ big }}{% endfor %}{% endmacro %}{{ f() }}": (
        MEMORY
    ),
    BIG + "{% set y %}{% for i in range(1000) %}{{ big }}{% endfor %}{% endset %}": MEMORY,
    **{
        repeated(100, expression): MEMORY
        for expression in ("big[1:]", "big.upper()", "big | upper", "big + 'a'", "big.split('z')")
    },
}


def stopped(source: str) -> str:
    """Return what the refusal of a template says."""
    template = ChatTemplate(source, {})
    with pytest.raises(TemplateRefusedError) as refusal:
        template.render(MESSAGES)
    return refusal.value.message


@pytest.mark.parametrize(("source", "complaint"), [*LOOPS.items(), *TREES.items()])
def test_a_template_that_never_ends_is_stopped(source: str, complaint: str) -> None:
    """By the count of its steps, or by Python's own bounds."""
    assert complaint in stopped(source)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [*((f"{{{{ {one} }}}}", why) for one, why in ALLOCATIONS.items()), *GROWTHS.items()],
)
def test_a_template_that_fills_the_memory_is_stopped(source: str, complaint: str) -> None:
    """Before it has it: the largest needs a third of a gigabyte."""
    tracemalloc.start()
    try:
        said = stopped(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert complaint in said
    assert peak < 350 << 20


def test_a_template_is_stopped_when_its_time_is_over() -> None:
    """With more time it might be done, so that is told apart."""
    template = ChatTemplate("{% for i in range(9) %}{% endfor %}done", {})

    with pytest.raises(TemplateRefusedError, match="was stopped: it takes too long") as refusal:
        template.render(MESSAGES, seconds=0)
    assert refusal.value.__cause__.ran_out_of_time
    assert "done" == template.render(MESSAGES)


def test_a_refusal_is_not_as_long_as_what_it_quotes() -> None:
    source = "{{ raise_exception('x' * 1000000) }}"

    assert len(stopped(source)) < 2200


COPYING = "{% for m in messages %}{% set ns.s = ns.s + STEP %}{% endfor %}{{ ns.s | length }}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% set ns = namespace(s=[]) %}" + COPYING.replace("STEP", "[m]"), "2000"),
        ("{% set ns = namespace(s='') %}" + COPYING.replace("STEP", "m.content"), "80000"),
        ("{% for m in messages %}{{ messages[loop.index0:] | length }} {% endfor %}", None),
        ("{% for m in messages %}{{ m | tojson }}{% endfor %}", None),
    ],
)
def test_long_conversations_are_no_hostile_ones(source: str, expected: str | None) -> None:
    """What grows with each message is allowed for, also in templates that copy it each time."""
    rendered = ChatTemplate(source, {}).render(
        [{"role": "user", "content": "forty characters, of which none is odd. "}] * 2000
    )

    assert rendered if expected is None else expected == rendered


def test_a_hundred_thousand_messages_are_rendered() -> None:
    source = "{% for m in messages %}{{ m.role + ':' + m.content | trim + '\\n' }}{% endfor %}"
    rendered = ChatTemplate(source, {}).render([{"role": "user", "content": " hi "}] * 100_000)

    assert "user:hi\n" * 100_000 == rendered
