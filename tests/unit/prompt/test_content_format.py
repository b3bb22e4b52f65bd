"""Templates for typed parts are told from templates for strings as vLLM tells them."""

from __future__ import annotations

import pytest

from service.prompt.content_format import takes_parts
from service.prompt.template_environment import TemplateEnvironment
from tests.unit.prompt import templates

LOOP = "{% for p in m.content %}{% endfor %}"
EACH = "{% for m in messages %}BODY{% endfor %}"


def each(body: str) -> str:
    """Return a template that does this for each message `m`."""
    return EACH.replace("BODY", body)


PARTS = [
    templates.QWEN2_VL,
    templates.QWEN2_5_OMNI,
    each("{% for p in m.content %}{{ p.text }}{% endfor %}"),
    each("{% for p in m['content'] %}{{ p.text }}{% endfor %}"),
    each("{% for p in m.content | selectattr('type', 'equalto', 'text') %}{% endfor %}"),
    each("{% for p in m.content[1:] %}{% endfor %}"),
    each("{% for p in m['content'] | reverse | list %}{% endfor %}"),
    each(
        "{% if m.content is string %}{{ m.content }}{% else %}"
        "{% for p in m.content %}{% endfor %}{% endif %}"
    ),
    f"{{% for m in messages[1:] %}}{LOOP}{{% endfor %}}",
    f"{{% set rest = messages[1:] %}}{{% for m in rest %}}{LOOP}{{% endfor %}}",
    f"{{% set a = messages %}}{{% set b = a | list %}}{{% for m in b %}}{LOOP}{{% endfor %}}",
    each("{% set content = m.content %}{% for p in content %}{% endfor %}"),
    "{% for p in content %}{% endfor %}",
    "{% macro say(what) %}{% for p in what %}{% endfor %}{% endmacro %}"
    + each("{{ say(m.content) }}"),
    "{% macro say(n, what) %}{% for p in what %}{% endfor %}{% endmacro %}"
    + each("{{ say(1, what=m['content']) }}"),
]
STRINGS = [
    templates.CHATML,
    templates.THINKING,
    "no text at all",
    "{{ messages[0].content }}",
    "{{ messages[0].content | tojson }}",
    "{{ messages[0].content[0].text }}",
    "{% for p in messages[0].content %}{{ p.text }}{% endfor %}",
    each("{{ m.content | map(attribute='text') | join }}"),
    each("{% for p in m.parts %}{% endfor %}"),
    each("{% for p in m.text.content %}{% endfor %}"),
    each("{% set parts = m.content %}{% for p in parts %}{% endfor %}"),
    "{% for n in others %}{% for p in n.content %}{% endfor %}{% endfor %}",
    "{% macro say(content) %}{% for p in content %}{% endfor %}{% endmacro %}{{ say(x) }}",
    "{% macro say(a, b) %}{% for p in a %}{% endfor %}{% endmacro %}"
    + each("{{ say(1, m.content) }}"),
    "{% set ns = namespace() %}{% set ns.m = messages %}"
    + each("{% for p in m.content %}{% endfor %}"),
    each("{% for a, b in m.content %}{% endfor %}"),
    "{% for a, b in messages %}{% endfor %}" + each("{% for p in m.content %}{% endfor %}"),
]


@pytest.mark.parametrize(
    ("expected", "source"),
    [*((True, source) for source in PARTS), *((False, source) for source in STRINGS)],
)
def test_a_template_for_typed_parts_is_told_from_one_for_strings(
    expected: bool, source: str
) -> None:
    """It loops over a message's content, or hands it to a macro that does."""
    assert expected == takes_parts(TemplateEnvironment().parse(source))


@pytest.mark.parametrize("source", [*PARTS, *STRINGS])
def test_it_is_what_vllm_finds(source: str) -> None:
    """Where vLLM is installed, it is asked."""
    renderers = pytest.importorskip("vllm.renderers.hf")
    theirs = renderers._detect_content_format(source, default="string")

    assert (theirs == "openai") == takes_parts(TemplateEnvironment().parse(source))
