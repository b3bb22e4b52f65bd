"""Adapters are read before the model is, and what vLLM would refuse in the middle is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from vllm.engine.arg_utils import AsyncEngineArgs

from service.domain.model import Adapter
from service.engine.adapters import enable_adapters
from service.engine.engine_args import parse_engine_args
from service.errors import StartupError

GOOD = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj"]}


def args(*flags: str) -> AsyncEngineArgs:
    return parse_engine_args("demo/model", flags)


def adapter(folder: Path, name: str = "one", **settings: object) -> Adapter:
    folder = folder / name
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(GOOD | settings))
    return Adapter(name, folder)


def test_without_adapters_the_engine_stays_as_it_is() -> None:
    given = args()
    enable_adapters(given, ())
    assert given == args()


def test_with_adapters_the_engine_takes_them_and_keeps_all(tmp_path: Path) -> None:
    """One that is thrown out would be read from its folder again, while serving."""
    given = args("--max-loras", "2")
    enable_adapters(given, [adapter(tmp_path, name) for name in ("one", "two", "three")])
    assert (given.enable_lora, given.max_loras, given.max_cpu_loras) == (True, 2, 3)


def test_the_operators_own_number_of_kept_adapters_holds(tmp_path: Path) -> None:
    given = args("--max-cpu-loras", "1")
    enable_adapters(given, [adapter(tmp_path, name) for name in ("one", "two")])
    assert given.max_cpu_loras == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"r": 64}, "rank of 64 is above 16; start with --max-lora-rank 64"),
        ({"r": 100}, "--max-lora-rank 128"),
        ({"rank_pattern": {"q_proj": 32}}, "rank of 32 is above 16"),
        ({"r": 4096}, "vLLM takes none so high"),
        ({"r": 0}, "one: .*rank"),
        ({"r": "many"}, "one: "),
        ({"use_dora": True}, "one: .*DoRA"),
        ({"bias": "all"}, "one: .*bias"),
        ({"modules_to_save": ["lm_head"]}, "one: .*modules_to_save"),
    ],
)
def test_an_adapter_that_vllm_does_not_take_is_named(
    tmp_path: Path, settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(StartupError, match=sentence):
        enable_adapters(args(), [adapter(tmp_path, **settings)])


@pytest.mark.parametrize("content", ["", "[]", '{"r": 8}', "{"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: str) -> None:
    broken = adapter(tmp_path)
    (broken.directory / "adapter_config.json").write_text(content)
    with pytest.raises(StartupError, match="one: "):
        enable_adapters(args(), [broken])
