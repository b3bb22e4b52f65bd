"""A checkpoint's template and special tokens are found where transformers writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.domain.conversation import Conversation, PromptOptions
from service.prompt.chat_template import load_chat_template
from service.prompt.renderer import choose_renderer
from tests.unit.prompt.templates import DEMO_MODEL, image, literals, user

WriteCheckpoint = Callable[[dict[str, object]], Path]
NAMED = [{"name": "default", "template": "default"}, {"name": "tools", "template": "tools"}]


@pytest.mark.parametrize(
    ("expected", "files"),
    [
        (
            "jinja",
            {
                "chat_template.jinja": "jinja",
                "chat_template.json": {"chat_template": "json"},
                "tokenizer_config.json": {"chat_template": "config"},
            },
        ),
        (
            "json",
            {
                "chat_template.json": {"chat_template": "json"},
                "tokenizer_config.json": {"chat_template": "config"},
            },
        ),
        (
            "config",
            {"chat_template.json": {}, "tokenizer_config.json": {"chat_template": "config"}},
        ),
        ("default", {"tokenizer_config.json": {"chat_template": NAMED}}),
        ("ä中", {"chat_template.jinja": "ä中"}),
    ],
)
def test_the_newest_place_comes_first(
    write_checkpoint: WriteCheckpoint, expected: str, files: dict[str, object]
) -> None:
    template = load_chat_template(write_checkpoint(files))

    assert template is not None
    assert expected == template.render([])


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"tokenizer_config.json": {"bos_token": "<s>"}},
        {"tokenizer_config.json": {"chat_template": NAMED[1:]}},
        {"tokenizer_config.json": {"chat_template": None}},
    ],
)
def test_a_checkpoint_may_have_no_template(
    write_checkpoint: WriteCheckpoint, files: dict[str, object]
) -> None:
    assert load_chat_template(write_checkpoint(files)) is None


def test_special_tokens_are_strings_objects_or_none(write_checkpoint: WriteCheckpoint) -> None:
    """What is no special token, or is not set, is undefined in the template."""
    names = ("bos_token", "eos_token", "unk_token", "add_bos_token", "model_max_length")
    config = {
        "bos_token": "<s>",
        "eos_token": {"__type": "AddedToken", "content": "</s>", "special": True},
        "unk_token": None,
        "add_bos_token": True,
        "model_max_length": 5,
    }
    source = ",".join(f"{{{{ {name} }}}}" for name in names)
    directory = write_checkpoint({"chat_template.jinja": source, "tokenizer_config.json": config})
    template = load_chat_template(directory)

    assert template is not None
    assert "<s>,</s>,,," == template.render([])


def test_the_demo_model_is_a_qwen2_5_omni() -> None:
    """From its folder to a prompt, as a server does it."""
    renderer = choose_renderer(DEMO_MODEL, model_type="qwen2_5_omni", architecture="Qwen2_5Omni")
    prompt = renderer.render(Conversation((user(image(), "What <|IMAGE|>?"),)), PromptOptions())

    assert "qwen2.5-omni" == renderer.prompt_format.name
    assert prompt.text == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        "<|vision_bos|><|IMAGE|><|vision_eos|>What <|IMAGE|>?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert ["What <|IMAGE|>?"] == literals(prompt)
