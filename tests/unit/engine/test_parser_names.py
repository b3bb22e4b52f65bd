"""A parser that vLLM does not have is refused at start, with the names of those that it has."""

from __future__ import annotations

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


def test_an_unknown_reasoning_parser_is_refused() -> None:
    with pytest.raises(StartupError, match=r"--reasoning-parser: .*'ours'.*deepseek_r1.*qwen3"):
        check_parsers(AsyncEngineArgs(model="x", reasoning_parser="ours"), None)
