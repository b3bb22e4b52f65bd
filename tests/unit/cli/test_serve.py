"""`triptych serve`: which words are the model, which are ours, and which go to vLLM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service import app
from service.__main__ import main

if TYPE_CHECKING:
    from service.config import ServerConfig

SERVE = ["serve", "--sidecar", "/bin/true"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServerConfig]:
    """The configurations that would have been served."""
    configurations: list[ServerConfig] = []
    monkeypatch.setattr(app, "run_server", lambda config: configurations.append(config) or 0)
    monkeypatch.setattr("service.__main__.prepare_engine_environment", lambda _: None)
    return configurations


@pytest.mark.parametrize(
    "words", [["org/name", *SERVE[1:]], [*SERVE[1:], "org/name"], ["--model", "org/name"]]
)
def test_the_model_stands_before_the_flags_of_vllm(
    served: list[ServerConfig], words: list[str]
) -> None:
    """The container's entry point has flags of ours before it."""
    assert main(["serve", *words, "--max-model-len", "2048"]) == 0

    assert served[0].model == "org/name"
    assert served[0].engine_flags == ("--max-model-len", "2048")


def test_the_value_of_an_engine_flag_is_not_taken_for_the_model(
    served: list[ServerConfig],
) -> None:
    """Once `serve --max-model-len 2048` served a model named 2048."""
    assert main([*SERVE, "--max-model-len", "2048", "--quantization=fp8"]) == 0

    assert served[0].served_model_name == "demo"
    assert served[0].engine_flags == ("--max-model-len", "2048", "--quantization=fp8")


def test_our_own_flags_stay_with_us(served: list[ServerConfig]) -> None:
    assert main([*SERVE, "--grace", "3", "--enforce-eager", "--max-message-mib", "2"]) == 0

    assert served[0].grace_s == pytest.approx(3)
    assert served[0].max_message_bytes == 2 << 20
    assert served[0].engine_flags == ("--enforce-eager",)


@pytest.mark.parametrize(
    "words", ["--max-message-mib 0", "--max-message-mib 2048", "--grace -1", "--grace nan"]
)
def test_what_cannot_be_is_wrong_usage(
    served: list[ServerConfig], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Messages of 2 GiB once ended the server with a traceback of gRPC's."""
    with pytest.raises(SystemExit) as end:
        main([*SERVE, *words.split()])

    assert end.value.code == 2
    assert words.split(maxsplit=1)[0] in capsys.readouterr().err
    assert not served


def test_the_prompts_format_can_be_chosen(served: list[ServerConfig]) -> None:
    """Both flags are ours, not vLLM's."""
    assert main([*SERVE, "--chat-template", "mine.jinja", "--prompt-format", "qwen-vl"]) == 0

    assert (Path("mine.jinja"), "qwen-vl") == (served[0].chat_template, served[0].prompt_format)
    assert served[0].engine_flags == ()


def test_the_parser_of_calls_is_ours_and_that_of_thoughts_is_vllms(
    served: list[ServerConfig],
) -> None:
    """The engine needs the latter, for structured outputs that begin behind thoughts."""
    assert main([*SERVE, "--tool-call-parser", "hermes", "--reasoning-parser", "qwen3"]) == 0

    assert served[0].tool_call_parser == "hermes"
    assert served[0].engine_flags == ("--reasoning-parser", "qwen3")


def test_a_parser_of_calls_may_come_as_a_plugin(served: list[ServerConfig]) -> None:
    flags = ["--tool-call-parser", "ours", "--tool-parser-plugin", __file__]
    assert main([*SERVE, *flags]) == 0

    assert served[0].tool_parser_plugin == Path(__file__)


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--tool-parser-plugin", __file__], "--tool-call-parser NAME"),
        (["--tool-call-parser", "ours", "--tool-parser-plugin", "/no.py"], "there is no file"),
    ],
)
def test_a_plugin_that_would_do_nothing_is_refused_at_once(
    served: list[ServerConfig],
    flags: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before vLLM is loaded, which takes a while."""
    assert main([*SERVE, *flags]) == 1

    assert problem in capsys.readouterr().err
    assert not served
