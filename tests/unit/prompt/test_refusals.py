"""Whatever a template complains of, or is refused itself, reaches the caller as a refusal."""

from __future__ import annotations

import pytest

from service.domain.conversation import Conversation, PromptOptions
from service.domain.model import PromptFormat
from service.errors import TemplateRefusedError
from service.prompt.renderer import TemplateRenderer
from tests.unit.prompt import templates
from tests.unit.prompt.templates import CONTINUE, NO_CUE, assistant, audio, image, render, user

ESCAPES = [
    "''.__class__.__mro__",
    "''.__class__.__mro__[1].__subclasses__()",
    "messages.__class__.__init__.__globals__",
    "cycler.__init__.__globals__.os",
    "raise_exception.__globals__.__builtins__",
    "strftime_now.__closure__[0].cell_contents",
    "self.__init__.__globals__",
    "'{0.__class__.__mro__}'.format('')",
    "(''|attr('__class__')).__mro__",
    "(messages|map(attribute='__class__')|first).__mro__",
]
CHANGES = [
    "messages.append(1)",
    "messages.clear()",
    "messages[0].update({'content': 1})",
    "messages[0].pop('role')",
]
FAILURES = {
    "raise_exception('roles must alternate')": "roles must alternate",
    "messages[0].content + 1": "can only concatenate str",
    "messages[0].nothing.at_all": "has no attribute 'nothing'",
    "range(100001) | list": "Range too big",
    "1 // 0": "division",
    "'{x}'.format()": "x",
    "'{0}'.format()": "index",
    "'a'.index('b')": "substring not found",
    "'a'.encode('nowhere')": "unknown encoding",
}
BROKEN = {
    "{% if %}": "Expected an expression",
    "{% for m in messages %}": "Unexpected end of template",
    "{{ messages": "unexpected end of template",
    "{% unheard_of %}": "unknown tag 'unheard_of'",
    "{{ 'a' | unheard_of }}": "No filter named 'unheard_of'",
    "{% include 'elsewhere' %}": "no loader",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "recursion",
    "{% for x in messages recursive %}{{ loop(messages) }}{% endfor %}": "recursion",
}


def refusal_of(source: str, *messages: object, options: PromptOptions = NO_CUE) -> tuple[str, str]:
    """Return the field and the problem that rendering is refused with."""
    with pytest.raises(TemplateRefusedError) as refusal:
        render(source, *messages, options=options)
    (violation,) = refusal.value.violations
    return violation


@pytest.mark.parametrize("expression", ESCAPES)
def test_python_is_out_of_reach(expression: str) -> None:
    """No template gets from its own values to Python's insides."""
    field, problem = refusal_of(f"{{{{ {expression} }}}}", user("hello"))

    assert "conversation" == field
    assert problem.endswith("is unsafe.")


@pytest.mark.parametrize("expression", CHANGES)
def test_messages_cannot_be_changed(expression: str) -> None:
    """A template reads its messages only."""
    field, problem = refusal_of(f"{{{{ {expression} }}}}", user("hello"))

    assert "conversation" == field
    assert problem.endswith("is unsafe.")


@pytest.mark.parametrize(
    ("source", "complaint"),
    [*((f"{{{{ {fails} }}}}", why) for fails, why in FAILURES.items()), *BROKEN.items()],
)
def test_a_failing_template_tells_why(source: str, complaint: str) -> None:
    """Whatever a template raises, for what it is told or for what it is, is a refusal."""
    field, problem = refusal_of(source, user("hello"))

    assert "conversation" == field
    assert problem.startswith("the model's chat template refuses it: ")
    assert complaint in problem


def test_a_refusal_quotes_texts_as_they_are() -> None:
    """The message shows what the caller wrote, without marks."""
    _, problem = refusal_of(
        "{{ raise_exception('cannot say ' + messages[0].content) }}", user("hi")
    )

    assert "the model's chat template refuses it: cannot say hi" == problem


@pytest.mark.parametrize(("index", "part"), [(0, image(0)), (1, audio(1))])
def test_a_template_for_strings_names_the_medium(index: int, part: object) -> None:
    """The field is that of the first part that the template has no place for."""
    parts = ["look", "listen"]
    parts.insert(index, part)

    field, problem = refusal_of(templates.CHATML, user(*parts))

    assert part.field == field
    assert problem.endswith(f"and what stands for {part.modality} in it is not known")


def test_a_model_without_a_template_asks_for_a_finished_prompt() -> None:
    renderer = TemplateRenderer(None, None, PromptFormat("none", "there is none"))

    with pytest.raises(TemplateRefusedError, match=r"^conversation: .* as text or token_ids$"):
        renderer.render(Conversation((user("hello"),)), NO_CUE)


@pytest.mark.parametrize(
    ("source", "final"),
    [
        (templates.QWEN2_VL, assistant("look", image())),
        (templates.CHATML, assistant("")),
        (templates.CHATML, assistant("look", " \n")),
        ("{{ messages[0].content }}", assistant("dropped")),
        ("{{ messages[-1].content[:3] }}", assistant("dropped")),
    ],
)
def test_only_a_text_that_stays_can_be_continued(source: str, final: object) -> None:
    """The field is that of the option, and the prompt itself is not quoted."""
    field, problem = refusal_of(source, user("hello"), final, options=CONTINUE)

    assert "prompt_options.continue_final_message" == field
    assert "final message" in problem
    assert "hello" not in problem
