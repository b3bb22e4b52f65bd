"""A checkpoint's template and special tokens are found where transformers writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.domain.conversation import Conversation, PromptOptions
from service.errors import StartupError
from service.prompt import renderer as renderers
from service.prompt.formats.family import Family
from service.prompt.renderer import check_choice, choose_renderer
from service.prompt.template_source import find_template, load_special_tokens
from tests.unit.prompt.templates import DEMO_MODEL, image, literals, user

WriteCheckpoint = Callable[[dict[str, object]], Path]
NAMED = [{"name": "default", "template": "default"}, {"name": "tools", "template": "tools"}]
JINJA = {"chat_template.jinja": "jinja"}
JSON = {"chat_template.json": {"chat_template": "json"}}
CONFIG = {"tokenizer_config.json": {"chat_template": "config"}}
PROCESSOR = {"preprocessor_config.json": {}}
OLDER = Family("older", frozenset({"older"}), {}, default_template="the family's")


@pytest.mark.parametrize(
    ("expected", "origin", "files"),
    [
        ("jinja", "chat_template.jinja", JINJA | JSON | CONFIG),
        ("config", "tokenizer_config.json", JSON | CONFIG),
        ("json", "chat_template.json", JSON),
        ("json", "chat_template.json", PROCESSOR | JINJA | JSON | CONFIG),
        ("jinja", "chat_template.jinja", PROCESSOR | JINJA | CONFIG),
        ("config", "tokenizer_config.json", PROCESSOR | {"chat_template.json": {}} | CONFIG),
        (
            "inside",
            "processor_config.json",
            {"processor_config.json": {"chat_template": "inside"}} | JINJA | JSON,
        ),
        (
            "default",
            "tokenizer_config.json",
            {"tokenizer_config.json": {"chat_template": NAMED}},
        ),
        (
            "named",
            "processor_config.json",
            {"processor_config.json": {"chat_template": {"default": "named", "rag": "other"}}},
        ),
        ("ä中", "chat_template.jinja", {"chat_template.jinja": "ä中"}),
        ("the family's", "the default of older", {}),
        ("the family's", "the default of older", {"tokenizer_config.json": {"bos_token": "<s>"}}),
        (
            "the family's",
            "the default of older",
            {"tokenizer_config.json": {"chat_template": NAMED[1:]}},
        ),
        (
            "the family's",
            "the default of older",
            {"tokenizer_config.json": {"chat_template": None}},
        ),
    ],
)
def test_the_template_is_the_one_that_transformers_takes(
    write_checkpoint: WriteCheckpoint, expected: str, origin: str, files: dict[str, object]
) -> None:
    """The processor's first, then the tokenizer's, then the family's; and it is said which."""
    source = find_template(write_checkpoint(files), family=OLDER)

    assert source is not None
    assert (expected, origin) == (source.text, source.origin)


def test_a_checkpoint_may_have_no_template(write_checkpoint: WriteCheckpoint) -> None:
    assert find_template(write_checkpoint({})) is None


def test_the_operators_template_comes_first(
    write_checkpoint: WriteCheckpoint, tmp_path: Path
) -> None:
    directory = write_checkpoint(PROCESSOR | JINJA | JSON | CONFIG | {"mine": "told {{ 1 + 1 }}"})
    renderer = choose_renderer(
        directory, model_type="llama", architecture="Llama", template_file=tmp_path / "mine"
    )

    assert "told 2" == renderer.render(Conversation((user("a"),)), PromptOptions()).text
    assert f"from {tmp_path / 'mine'}" in renderer.prompt_format.reason


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("nowhere", None, "cannot read the chat template .*: No such file"),
        ("folder", None, "cannot read the chat template .*: Is a directory"),
        ("latin-1", b"\xe4", "is not UTF-8"),
        ("large", b" " * (1 << 20) + b"x", "has more than 1048576 bytes"),
        ("broken", b"{% for m in messages %}", "is not a chat template: Unexpected end"),
        ("deep", b"{{ " + b"(" * 5000 + b"1" + b")" * 5000 + b" }}", "is not a chat template"),
    ],
)
def test_an_operators_file_that_is_no_template_stops_the_start(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    """The message names the file and what is wrong with it."""
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    elif name == "folder":
        file.mkdir()

    with pytest.raises(StartupError, match=complaint) as stopped:
        choose_renderer(tmp_path, model_type="llama", architecture="Llama", template_file=file)
    with pytest.raises(StartupError, match=complaint):
        check_choice(file, None)
    assert str(file) in stopped.value.message


def test_a_checkpoints_broken_template_does_not_stop_the_start(
    write_checkpoint: WriteCheckpoint,
) -> None:
    """Finished prompts can be answered all the same; the format tells what is wrong."""
    directory = write_checkpoint({"chat_template.jinja": "{% if %}"})
    renderer = choose_renderer(directory, model_type="llama", architecture="Llama")

    assert "which is broken: Expected an expression" in renderer.prompt_format.reason


@pytest.mark.parametrize("name", ["tokenizer_config.json", "chat_template.json"])
def test_broken_json_is_named(write_checkpoint: WriteCheckpoint, name: str) -> None:
    with pytest.raises(StartupError, match=f"{name} is not a JSON file: "):
        find_template(write_checkpoint({name: "{"}))
    with pytest.raises(StartupError, match=f"{name} must hold a JSON object"):
        find_template(write_checkpoint({name: "[]"}))


def test_the_operator_can_choose_the_format(
    write_checkpoint: WriteCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its default template counts only where the checkpoint has none."""
    monkeypatch.setattr(renderers, "find_format", {"older": OLDER}.get)
    told = choose_renderer(
        write_checkpoint({}), model_type="qwen2_vl", architecture="Qwen2VL", format_name="older"
    )

    assert "older" == told.prompt_format.name
    assert "as told; chat template for strings from the default of older" == (
        told.prompt_format.reason
    )
    assert "the family's" == told.render(Conversation((user("a"),)), PromptOptions()).text


def test_an_unknown_format_is_answered_with_those_known(tmp_path: Path) -> None:
    with pytest.raises(
        StartupError, match=r"^no prompt format is named 'chatgpt'; known are .*qwen-vl"
    ):
        choose_renderer(tmp_path, model_type="llama", architecture="Llama", format_name="chatgpt")
    with pytest.raises(StartupError, match="'chatgpt'"):
        check_choice(None, "chatgpt")


def test_a_good_choice_is_none_too(write_checkpoint: WriteCheckpoint) -> None:
    """Before the model is loaded, only what the operator says is looked at."""
    directory = write_checkpoint(JINJA | {"tokenizer_config.json": "broken"})

    check_choice(None, None)
    check_choice(directory / "chat_template.jinja", "qwen-vl")


@pytest.mark.parametrize(
    ("expected", "files"),
    [
        (
            {"bos_token": "<s>", "eos_token": "</s>"},
            {
                "tokenizer_config.json": {
                    "bos_token": "<s>",
                    "eos_token": {"__type": "AddedToken", "content": "</s>", "special": True},
                    "unk_token": None,
                    "add_bos_token": True,
                    "model_max_length": 5,
                }
            },
        ),
        (
            {"bos_token": "<s>", "image_token": "<image>", "boi_token": "<start>"},
            {
                "tokenizer_config.json": {
                    "bos_token": "<s>",
                    "boi_token": "<start>",
                    "extra_special_tokens": {"image_token": "<image>"},
                }
            },
        ),
        (
            {"bos_token": "<older>", "eos_token": "</s>"},
            {
                "tokenizer_config.json": {"bos_token": "<s>"},
                "special_tokens_map.json": {
                    "bos_token": "<older>",
                    "eos_token": {"content": "</s>"},
                    "additional_special_tokens": ["<image>"],
                },
            },
        ),
        (
            {"bos_token": "<s>"},
            {
                "tokenizer_config.json": {"bos_token": "<s>", "added_tokens_decoder": {}},
                "special_tokens_map.json": {"bos_token": "<older>", "eos_token": "</s>"},
            },
        ),
    ],
)
def test_special_tokens_are_found_where_transformers_finds_them(
    write_checkpoint: WriteCheckpoint, expected: dict[str, str], files: dict[str, object]
) -> None:
    """What is no special token, or is not set, is undefined in the template."""
    assert expected == load_special_tokens(write_checkpoint(files))


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
