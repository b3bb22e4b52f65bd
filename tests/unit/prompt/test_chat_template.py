"""A template gives what transformers gives for it, or a refusal that says why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from service.prompt.chat_template import ChatTemplate, Messages
from tests.unit.prompt import templates

SYSTEM = {"role": "system", "content": "Be short."}
ASK = {"role": "user", "content": 'Say "ä" & <b>'}
ANSWER = {"role": "assistant", "content": "ä "}
PARTS = {
    "role": "user",
    "content": [{"type": "image"}, {"type": "text", "text": "and"}, {"type": "video"}],
}
TEXTS = {"role": "assistant", "content": [{"type": "text", "text": t} for t in ("one", " two ")]}
SPECIAL_TOKENS = {"bos_token": "<s>"}

LOOP = "{% for message in messages %}\n"
FEATURES = {
    "blocks leave no line and no indent": (
        LOOP + "    {% if true %}\n{{ message.role }}\n    {% endif %}\n{% endfor %}\n",
        "user\nassistant\n",
    ),
    "minus signs trim more": (
        LOOP + "  {%- if true -%}\n  {{- message.role }} {{ '!' -}}\n  {%- endif -%}  {% endfor %}",
        "user !assistant !",
    ),
    "break": (LOOP + "{{ message.role }}{% break %}{% endfor %}", "user"),
    "continue": (
        LOOP + "{% if loop.first %}{% continue %}{% endif %}{{ message.role }}{% endfor %}",
        "assistant",
    ),
    "tojson escapes no html": (
        "{{ messages[0] | tojson }}",
        '{"role": "user", "content": "Say \\"ä\\" & <b>"}',
    ),
    "tojson takes json's options": (
        "{{ {'b': 1, 'ä': 2} | tojson(ensure_ascii=true, separators=('; ', '='), indent=1) }}",
        '{\n "b"=1; \n "\\u00e4"=2\n}',
    ),
    "strftime_now": ("{{ strftime_now('%% today') }}", "% today"),
    "generation": (
        LOOP + "{% generation %}{{ message.role }},{% endgeneration %}{% endfor %}",
        "user,assistant,",
    ),
    "namespace": (
        "{% set ns = namespace(n=0) %}" + LOOP + "{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
        "2",
    ),
    "macro": (
        "{% macro tag(x) %}<{{ x }}>{% endmacro %}{{ tag(messages[1].role) }}",
        "<assistant>",
    ),
    "special tokens": ("{{ bos_token }}{{ messages[0].role }}{{ eos_token }}", "<s>user"),
    "no tools, no documents": ("{{ tools is none }} {{ documents is none }}", "True True"),
    "last newline": ("{{ messages[0].role }}\n\n", "user\n"),
}


@pytest.mark.parametrize(("source", "expected"), FEATURES.values(), ids=FEATURES.keys())
def test_features_of_templates_are_those_of_transformers(source: str, expected: str) -> None:
    """What templates use beyond plain Jinja is there, and is what transformers makes it."""
    template = ChatTemplate(source, SPECIAL_TOKENS)
    (theirs,), _ = render_jinja_template([[ASK, ANSWER]], chat_template=source, **SPECIAL_TOKENS)

    assert expected == template.render([ASK, ANSWER]) == theirs


@pytest.mark.parametrize("add_generation_prompt", [False, True])
@pytest.mark.parametrize(
    "messages", [[ASK], [SYSTEM, ASK], [ASK, ANSWER], [PARTS], [PARTS, TEXTS], [ASK, PARTS, ASK]]
)
@pytest.mark.parametrize("source", [templates.QWEN2_VL, templates.QWEN2_5_OMNI, None])
def test_whole_prompts_are_those_of_transformers(
    demo_template: ChatTemplate,
    demo_tokenizer: Any,
    source: str | None,
    messages: Messages,
    add_generation_prompt: bool,
) -> None:
    """The tokenizer's apply_chat_template gives the same text; None is the demo's template."""
    template = ChatTemplate(source, {}) if source else demo_template
    theirs = demo_tokenizer.apply_chat_template(
        messages,
        chat_template=source,
        tokenize=False,
        add_generation_prompt=add_generation_prompt,
    )

    ours = template.render(messages, add_generation_prompt=add_generation_prompt)

    assert theirs == ours
    assert add_generation_prompt == ours.endswith("<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("final", [ANSWER, TEXTS, {"role": "assistant", "content": " two\n"}])
@pytest.mark.parametrize("source", [None, "{{ messages[-1].content | trim }}\n", templates.CHATML])
def test_continued_prompts_are_those_of_transformers(
    demo_template: ChatTemplate, demo_tokenizer: Any, source: str | None, final: dict[str, Any]
) -> None:
    """The prompt ends where the final message does, with its last space if that is kept."""
    if source and final is TEXTS:
        final = {"role": "assistant", "content": "one\n two "}
    template = ChatTemplate(source, {}) if source else demo_template
    theirs = demo_tokenizer.apply_chat_template(
        [ASK, final], chat_template=source, tokenize=False, continue_final_message=True
    )

    assert theirs == template.render([ASK, final], continue_final_message=True)


def test_special_tokens_are_those_of_transformers(
    demo_template: ChatTemplate, demo_tokenizer: Any
) -> None:
    """A template may name each special token that transformers would name to it."""
    assert demo_tokenizer.special_tokens_map == demo_template._special_tokens


@pytest.mark.parametrize(
    ("takes_parts", "source"),
    [
        (True, templates.QWEN2_VL),
        (True, templates.QWEN2_5_OMNI),
        (False, templates.CHATML),
        (False, "{{ messages[0].content }}"),
        (False, "{{ messages[0].content | tojson }}"),
        (False, "no text at all"),
        (False, "{{ raise_exception('never') }}"),
        (False, "{% broken"),
    ],
)
def test_a_template_for_typed_parts_is_told_from_one_for_strings(
    takes_parts: bool, source: str
) -> None:
    """A template that prints a list as it is does not take parts."""
    assert takes_parts == ChatTemplate(source, {}).takes_parts


def test_the_clock_can_stand_still() -> None:
    """Two renderings of one prompt show the same time."""
    template = ChatTemplate("{{ strftime_now('%d %b %H:%M:%S.%f') }}", {})

    now = datetime(2026, 5, 4, 3, 2, 1, 9, tzinfo=UTC)
    assert "04 May 03:02:01.000009" == template.render([ASK], now=now)
