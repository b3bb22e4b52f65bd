"""Adapters are read before the model is, and what vLLM would refuse in the middle is refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.lora.request import LoRARequest
from vllm.platforms import current_platform

from service.domain.model import Adapter
from service.engine.adapters import enable_adapters, load_adapters
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


@pytest.fixture
def is_cpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(type(current_platform), "is_cpu", lambda _: request.param)
    return bool(request.param)


@pytest.mark.parametrize("is_cpu", [False], indirect=True)
def test_with_adapters_the_engine_takes_them_and_keeps_all(is_cpu: bool, tmp_path: Path) -> None:
    """One that is thrown out would be read from its folder again, while serving."""
    given = args("--max-loras", "2")
    enable_adapters(given, [adapter(tmp_path, name) for name in ("one", "two", "three")])
    assert (given.enable_lora, given.max_loras, given.max_cpu_loras) == (True, 2, 3)


@pytest.mark.parametrize("is_cpu", [True], indirect=True)
@pytest.mark.parametrize(("asked", "slots"), [("1", 3), ("8", 8)])
def test_on_a_cpu_one_slot_more_than_there_are_adapters_is_kept(
    is_cpu: bool, tmp_path: Path, asked: str, slots: int
) -> None:
    """Requests without an adapter would get that of the last slot."""
    given = args("--max-loras", asked)
    enable_adapters(given, [adapter(tmp_path, name) for name in ("one", "two")])
    assert given.max_loras == slots


@pytest.mark.parametrize("is_cpu", [False], indirect=True)
def test_the_operators_own_number_of_kept_adapters_holds(is_cpu: bool, tmp_path: Path) -> None:
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


class FakeLlm:
    """Loads any adapter but that of a folder named `foreign`."""

    def __init__(self) -> None:
        self.loaded: list[LoRARequest] = []

    async def add_lora(self, request: LoRARequest) -> bool:
        if request.lora_path.endswith("foreign"):
            raise Exception("Call to add_lora method failed: unexpected modules")  # noqa: TRY002 - as vLLM does
        self.loaded.append(request)
        return True


async def load(llm: FakeLlm, *adapters: Adapter) -> dict[str, LoRARequest]:
    """Load from a thread, as the start of an engine does."""
    return await asyncio.to_thread(load_adapters, llm, adapters, asyncio.get_running_loop())


async def test_all_adapters_are_loaded_under_numbers_of_their_own(tmp_path: Path) -> None:
    llm = FakeLlm()
    found = await load(llm, adapter(tmp_path, "one"), adapter(tmp_path, "two"))

    assert list(found) == ["one", "two"]
    assert list(found.values()) == llm.loaded
    assert {request.lora_int_id for request in llm.loaded} == {1, 2}
    assert found["two"].lora_path == str(tmp_path / "two")


async def test_an_adapter_of_another_model_is_named(tmp_path: Path) -> None:
    """What its weights are for only the loaded model can tell."""
    with pytest.raises(StartupError, match=r"foreign: .*does not fit .*unexpected modules"):
        await load(FakeLlm(), adapter(tmp_path, "one"), adapter(tmp_path, "foreign"))
