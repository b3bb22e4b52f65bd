"""A parser that vLLM does not have is refused at start, with the names of those that it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from vllm.engine.arg_utils import AsyncEngineArgs

from service.engine.output_parsers import check_parsers
from service.errors import StartupError


def test_known_names_are_taken() -> None:
    check_parsers(AsyncEngineArgs(model="x", reasoning_parser="qwen3"), "hermes")
    check_parsers(AsyncEngineArgs(model="x"), None)


def test_an_unknown_tool_parser_is_refused() -> None:
    with pytest.raises(StartupError, match=r"--tool-call-parser: .*'ours'.*hermes.*mistral"):
        check_parsers(AsyncEngineArgs(model="x"), "ours")


def test_a_plugin_brings_a_parser(tmp_path: Path) -> None:
    """As vLLM documents it: the file registers a class of its own."""
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "from vllm.tool_parsers import ToolParser, ToolParserManager\n"
        "@ToolParserManager.register_module('of_a_plugin')\n"
        "class OfAPlugin(ToolParser): pass\n"
    )
    check_parsers(AsyncEngineArgs(model="x"), "of_a_plugin", plugin)


def test_an_unknown_reasoning_parser_is_refused() -> None:
    with pytest.raises(StartupError, match=r"--reasoning-parser: .*'ours'.*deepseek_r1.*qwen3"):
        check_parsers(AsyncEngineArgs(model="x", reasoning_parser="ours"), None)
