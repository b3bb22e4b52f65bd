"""Families whose processors are code of their checkpoints: proved by the texts of their prompts.

vLLM 0.32 loads Ultravox, Phi-4-multimodal, MiniCPM-V, Kimi-VL and InternVL's own form with
`--trust-remote-code` only, and SmolVLM's processor with a package that we do not install. So
their prompts are held to what their model cards say. Each template is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from service.domain.conversation import Modality, PromptOptions
from service.domain.model import PromptFormat
from service.prompt.chat_template import ChatTemplate
from service.prompt.formats import find_format
from service.prompt.renderer import TemplateRenderer
from tests.conformance.formats.checkpoints import AUDIO, IMAGE, VIDEO
from tests.conformance.formats.conversations import Case, Content, assistant, system, user
from tests.conformance.formats.families.text import CHATML, LLAMA_3


@dataclass(frozen=True)
class Text:
    """A family's template, what is in front of and behind a user's turn, and its places."""

    template: str
    before: str
    after: str
    places: dict[Modality, tuple[str, str]]
    joined_by: str = "\n"


PHI_4 = (
    "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
KIMI = (
    "{% macro turn(role) %}{{ '<|im_' + role + '|>' + role + '<|im_middle|>' }}{% endmacro %}"
    "{% if messages[0].role != 'system' %}"
    "{{ turn('system') + 'You are a helpful assistant<|im_end|>' }}{% endif %}"
    "{% for m in messages %}{{ turn(m.role) }}{% for part in m.content %}"
    "{% if part.type == 'image' %}<|media_start|>image<|media_content|><|media_pad|><|media_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}{{ turn('assistant') }}{% endif %}"
)
SMOLVLM = (
    "<|im_start|>{% for m in messages %}{{ m.role | capitalize }}"
    "{{ ':' if m.content[0].type == 'image' else ': ' }}"
    "{% for part in m.content %}{% if part.type == 'image' %}<image>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{{ '<end_of_utterance>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
_USER, _CUE = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
_KIMI_IMAGE = "<|media_start|>image<|media_content|><|media_pad|><|media_end|>"
TEXTS = {
    "ultravox": Text(
        LLAMA_3,
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        {AUDIO: ("<|audio|>", "<|audio|>")},
    ),
    "phi-4-multimodal": Text(
        PHI_4,
        "<|user|>",
        "<|end|><|assistant|>",
        {IMAGE: ("<|image_1|>", "<|image_2|>"), AUDIO: ("<|audio_1|>", "<|audio_2|>")},
    ),
    "minicpm-v": Text(
        CHATML,
        _USER,
        _CUE,
        {
            IMAGE: ("(<image>./</image>)", "(<image>./</image>)"),
            VIDEO: ("(<video>./</video>)", "(<video>./</video>)"),
        },
    ),
    "internvl": Text(
        CHATML,
        _USER,
        _CUE,
        {IMAGE: ("<image>", "<image>"), VIDEO: ("<video>", "<video>")},
    ),
    "kimi-vl": Text(
        KIMI,
        "<|im_system|>system<|im_middle|>You are a helpful assistant<|im_end|>"
        "<|im_user|>user<|im_middle|>",
        "<|im_end|><|im_assistant|>assistant<|im_middle|>",
        {IMAGE: (_KIMI_IMAGE, _KIMI_IMAGE)},
        joined_by="",
    ),
    "idefics-3": Text(
        SMOLVLM,
        "<|im_start|>User:",
        "<end_of_utterance>\nAssistant:",
        {IMAGE: ("<image>", "<image>")},
        joined_by="",
    ),
}
KINDS = [(name, kind) for name, text in TEXTS.items() for kind in text.places]


def _render(name: str, *content: Content) -> str:
    """Return a user's turn, without what is around it."""
    text = TEXTS[name]
    tokens = {"bos_token": "<|begin_of_text|>"}
    renderer = TemplateRenderer(
        ChatTemplate(text.template, tokens), find_format(name), PromptFormat(name, "a test")
    )
    prompt = renderer.render(Case("", (user(*content),)).conversation(), PromptOptions())
    assert prompt.text.startswith(text.before)
    assert prompt.text.endswith(text.after)
    return prompt.text.removeprefix(text.before).removesuffix(text.after)


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_each_medium_has_its_place(name: str, kind: Modality) -> None:
    text = TEXTS[name]
    first, second = text.places[kind]

    assert f"{first}{text.joined_by}What?" == _render(name, kind, "What?")
    assert text.joined_by.join([first, second, "What?"]) == _render(name, kind, kind, "What?")


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_typed_places_stay_text(name: str, kind: Modality) -> None:
    text = TEXTS[name]
    first, second = text.places[kind]

    assert text.joined_by.join([first, second]) == _render(name, kind, second)


def test_numbers_go_on_through_the_conversation() -> None:
    renderer = TemplateRenderer(
        ChatTemplate(PHI_4, {}), find_format("phi-4-multimodal"), PromptFormat("", "")
    )
    turns = (user(IMAGE, "a"), assistant("b"), user(IMAGE, AUDIO, "c"))
    prompt = renderer.render(Case("", turns).conversation(), PromptOptions())

    assert (
        "<|user|><|image_1|>\na<|end|><|assistant|>b<|end|>"
        "<|user|><|image_2|>\n<|audio_1|>\nc<|end|><|assistant|>" == prompt.text
    )


TURNS = (system("s"), user("a"), assistant("b"), user("c"))
DEFAULTS = {
    "chatml": (
        "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\na<|im_end|>\n"
        "<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n"
        "<|im_start|>assistant\n"
    ),
    "llama-2": "<s>[INST] <<SYS>>\ns\n<</SYS>>\n\na [/INST] b </s><s>[INST] c [/INST]",
    "llama-3": (
        "<s><|start_header_id|>system<|end_header_id|>\n\ns<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\na<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nb<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nc<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "mistral": "<s>[INST] a[/INST] b</s>[INST] s\n\nc[/INST]",
    "llava-1.5": "s USER: a ASSISTANT: b USER: c ASSISTANT:",
    "paligemma": "sabc",
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_checkpoint_without_a_template_has_the_familys(name: str) -> None:
    family = find_format(name)
    assert family is not None
    assert family.default_template is not None
    template = ChatTemplate(family.default_template, {"bos_token": "<s>", "eos_token": "</s>"})
    renderer = TemplateRenderer(template, family, PromptFormat(name, "a test"))

    prompt = renderer.render(Case("", TURNS).conversation(), PromptOptions())
    assert DEFAULTS[name] == prompt.text
