"""A family's own template, for checkpoints that ship none, writes what its model card shows.

Where vLLM has a template of its own for such checkpoints, as for Qwen2-Audio, the ids are compared.
"""

from __future__ import annotations

import pytest

from service.domain.conversation import PromptOptions
from service.domain.model import PromptFormat
from service.prompt.chat_template import ChatTemplate
from service.prompt.formats import find_format
from service.prompt.renderer import TemplateRenderer
from tests.conformance.formats.conversations import Case, assistant, system, user

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
