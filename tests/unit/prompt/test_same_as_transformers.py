"""What is paid for is not changed: each construct gives what transformers' own Jinja gives."""

from __future__ import annotations

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from service.errors import TemplateRefusedError
from service.prompt.chat_template import ChatTemplate

MESSAGES = [
    {"role": "system", "content": " Be short. "},
    {"role": "user", "content": [{"type": "text", "text": "ä|b|c"}, {"type": "image"}]},
    {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes\tand no", "n": 3},
]
EXPRESSIONS = [
    "1 ~ none ~ 'a' ~ 2.0 ~ [1] ~ true",
    "messages[0].content ~ messages[2].n",
    "messages[1:] | length, messages[::-1][0].role, messages[-1:][0].role",
    "'abcdef'[1:4], 'abcdef'[::-2], 'abcdef'[:-1], 'abcdef'[10:]",
    "(1, 2)[1:], [1, 2, 3][:2]",
    "[messages[0].role, [1, messages[2].n]], {'a': messages[2].n}, (messages[2].n,)",
    "[1] + [2] + [messages[2].n], [0] * 3, (1,) + (2,), 'ab' * 3, 3 * 'ab', 'a' * -1",
    "2 + 3 * 4 ** 2 % 7 - 1 // 2, 7 / 2, -7 % 3, 2 ** 0.5, 2 ** -1",
    "'%s is %d %05.2f %%' % ('a', 3, 2.5), '%(a)s' % {'a': 'b'}, '%s' % messages[0]",
    "'{} {0}'.format(1) if false else '{}-{x:>4}'.format('a', x='b')",
    "'%s %s' | format('a', 'b')",
    "'a,b,c'.split(','), 'a b  c'.split(), 'a\nb'.splitlines(), 'abcabc'.rsplit('b', 1)",
    "'-'.join(['a', 'b']), '-'.join('abc'), ', '.join(messages | map(attribute='role'))",
    "'aXbX'.replace('X', '--', 1), 'ab'.replace('', '.'), 'a' | replace('a', 'b')",
    "'a'.center(5), 'a'.ljust(3) + '|', 'a'.rjust(3), '7'.zfill(3), 'a\tb'.expandtabs(4)",
    "'Ab'.upper(), 'Ab'.lower(), 'ab c'.title()",
    "'Ab'.swapcase(), 'ß'.casefold(), 'ab'.capitalize()",
    "'  a '.strip(), 'xax'.lstrip('x'), 'a b c'.partition(' '), 'a b c'.rpartition(' ')",
    "'abc'.startswith('a'), 'abc'.endswith(('c', 'd')), 'abc'.find('c'), 'aa'.count('a')",
    "'ä'.encode(), 'ä'.encode('utf-8').decode(), 'abc'.isalpha(), 'a'.translate({97: 'b'})",
    "messages | tojson, messages[2] | tojson(indent=2)",
    "{'b': 1, 'a': 'ä'} | tojson(sort_keys=true)",
    "messages | map(attribute='role') | join(', '), [1, 2] | join, ['a', 'b'] | join('-')",
    "messages | selectattr('n', 'defined') | list | length",
    "messages | rejectattr('n') | list | length",
    "[3, 1, 2] | sort, [1, 1, 2] | unique | list, [1, 2, 3] | sum, [1, 2] | max, ['b', 'a'] | min",
    "[1, 2, 3, 4, 5] | batch(2, 'x') | list, [1, 2, 3] | slice(2) | list, [1, 2] | reverse | list",
    "'abc' | reverse, 'abc' | list, 'abc' | first, 'abc' | last, 'abc' | length, 'a b' | wordcount",
    "' a ' | trim, 'a\nb' | indent(2), 'a\nb' | indent('> ', true), 'abcdefgh' | truncate(5, true)",
    "'a' | center(5), 'ab cd' | title, 'ab' | capitalize, 'AB' | lower, 3 | string + '!'",
    "'<a>' | e, '<a>' | escape ~ '<b>', ('<a>' | safe) ~ 'x', '<b>a</b>' | striptags",
    "'a b' | urlencode, {'a': 1} | xmlattr, [1, [2]] | pprint, 'aa bb' | wordwrap(2)",
    "2.567 | round(1), 2.5 | round, 7 | float",
    "'7' | int, 'x' | int(3), -3 | abs, 1024 | filesizeformat",
    "nothing | default('d'), none | default('d', true), nothing is defined, messages is iterable",
    "'A' is upper, 'a' is lower, 3 is odd, 4 is divisibleby 2, 'a' in 'cat', 3 in [1, 2], 1 == 1.0",
    "1 < 2 < 3, 'a' != messages[0].role, messages[0] == messages[0], 'x' not in messages[0]",
    "messages | groupby('role') | map('first') | list, {'b': 1, 'a': 2} | dictsort",
    "dict(a=1, b=[2]), dict(a=1).items() | list, {'a': 1}.get('b', 'c'), {'a': 1}.keys() | list",
    "range(3) | list, range(1, 7, 2) | list, namespace(a=1).a, namespace(a=1)",
    "cycler('a', 'b').next(), joiner('-')() ~ 'x', (1).bit_length()",
    "[1, 2].index(2), (1, 1).count(1)",
    "messages[2].content.split('</think>')[-1].lstrip('\n')",
    "messages[1].content[0].text.split('|')[1]",
]
STATEMENTS = [
    (
        "{% for m in messages if m.role != 'user' %}{{ loop.index }}/{{ loop.length }}{{ m.role }}"
        "{{ loop.first }}{{ loop.last }}{{ loop.revindex }};{% else %}none{% endfor %}"
    ),
    (
        "{% for m in messages %}{{ loop.previtem.role if loop.previtem }}"
        "{{ loop.nextitem is defined }}"
        "{{ loop.cycle('a', 'b') }}{{ loop.changed(m.role) }}{% endfor %}"
    ),
    (
        "{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}{% for x in [] %}"
        "{% else %}-"
        "{% endfor %}"
    ),
    (
        "{% for x in [[1, [2]], 3] recursive %}{{ loop(x) if x is sequence else x }}@"
        "{{ loop.depth }}"
        "{% endfor %}"
    ),
    (
        "{% for x in range(9) if x is odd %}{% if x == 3 %}{% continue %}{% endif %}"
        "{% if x > 5 %}{% break %}{% endif %}{{ x }}{% endfor %}"
    ),
    (
        "{% macro f(a, b='x') %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}"
        "{{ f(1) }}{{ f(1, 2, 3, d=4) }}"
    ),
    "{% macro f(a) %}<{{ caller(a) }}>{% endmacro %}{% call(x) f('y') %}{{ x }}!{% endcall %}",
    "{% set x %}a{{ 1 }}b{% endset %}{{ x | upper }}{% set y | upper %}c{% endset %}{{ y }}",
    "{% filter upper | trim %} a {{ messages[0].role }} {% endfilter %}",
    (
        "{% set ns = namespace(s='', l=[]) %}{% for m in messages %}{% set ns.s = ns.s ~ m.role %}"
        "{% set ns.l = ns.l + [m.role] %}{% endfor %}{{ ns.s }}{{ ns.l }}"
    ),
    "{% with a = 1, b = [messages[0].role] %}{{ a }}{{ b }}{% endwith %}",
    "{% block a %}in {{ messages[0].role }}{% endblock %}{{ self.a() }}",
    (
        "{% autoescape true %}{{ '<a>' }}"
        "{{ messages[0].role ~ '<a>' ~ messages[0].role | safe }}{% endautoescape %}{{ '<a>' }}"
    ),
    "{% set a, b = 1, messages[0].role %}{{ b }}{{ a }}{% set (c, d) = [2, 3] %}{{ c }}{{ d }}",
    "{% generation %}{% for m in messages %}{{ m.role }}{% endfor %}{% endgeneration %}",
    "{% raw %}{{ x }}{% endraw %}{# note #}{{- ' a' -}}  b",
    (
        "{% if messages | length > 1 and messages[0]['role'] == 'system' and not nothing %}y"
        "{% endif %}"
    ),
    "{{ messages[0]['content'] | trim if messages[0] is mapping else 'n' }}{{ nothing }}{{ none }}",
]
FAILING = ["1 + 'a'", "'a' + 1", "nothing.a", "nothing + 'a'", "[1] + 'a'", "messages.x.y", "1 % 0"]
FAILING += [
    "'%d' % 'a'",
    "'{}'.format()",
    "f()",
    "messages | nothing",
    "2 ** 'a'",
    "nothing[1:]",
]


def theirs(source: str) -> str:
    """Return what transformers makes of a template."""
    (text,), _ = render_jinja_template([MESSAGES], chat_template=source)
    return str(text)


@pytest.mark.parametrize(
    "source", [*(f"{{{{ ({expression}) }}}}" for expression in EXPRESSIONS), *STATEMENTS]
)
def test_the_text_is_that_of_transformers(source: str) -> None:
    """Operators, methods, filters, tests, loops, macros and blocks."""
    assert theirs(source) == ChatTemplate(source, {}).render(MESSAGES)


@pytest.mark.parametrize("expression", FAILING)
def test_what_fails_there_fails_here(expression: str) -> None:
    """With the same complaint."""
    source = f"{{{{ {expression} }}}}"
    with pytest.raises(Exception) as failure:  # noqa: PT011 - whatever a template raises
        theirs(source)
    with pytest.raises(TemplateRefusedError) as refusal:
        ChatTemplate(source, {}).render(MESSAGES)

    assert str(failure.value) in refusal.value.message
