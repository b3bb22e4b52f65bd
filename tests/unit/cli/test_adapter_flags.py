"""`triptych serve --lora-modules`: what is taken, and what is refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import app
from service.__main__ import main
from service.config import ServerConfig
from service.domain.model import Adapter


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServerConfig]:
    """The configurations that would have been served."""
    configurations: list[ServerConfig] = []
    monkeypatch.setattr(app, "run_server", lambda config: configurations.append(config) or 0)
    monkeypatch.setattr("service.__main__.prepare_engine_environment", lambda _: None)
    return configurations


def make_adapter(folder: Path) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"")
    return folder


def serve(*words: str) -> int:
    return main(["serve", "org/name", "--sidecar", "/bin/true", *words])


def test_adapters_are_named_and_other_lora_flags_go_to_vllm(
    served: list[ServerConfig], tmp_path: Path
) -> None:
    first, second = make_adapter(tmp_path / "first"), make_adapter(tmp_path / "second=2")
    flags = ("--max-lora-rank", "64", "--max-loras", "2")

    assert serve("--lora-modules", f"one={first}", f"two={second}", *flags) == 0

    assert served[0].adapters == (Adapter("one", first), Adapter("two", second))
    assert served[0].engine_flags == flags


def test_the_flag_may_come_again(served: list[ServerConfig], tmp_path: Path) -> None:
    first, second = make_adapter(tmp_path / "first"), make_adapter(tmp_path / "second")

    assert serve("--lora-modules", f"one={first}", "--lora-modules", f"two={second}") == 0

    assert [adapter.name for adapter in served[0].adapters] == ["one", "two"]


def test_without_the_flag_there_are_none(served: list[ServerConfig]) -> None:
    assert serve() == 0
    assert served[0].adapters == ()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["{0}/good"], "must be NAME=PATH"),
        (["={0}/good"], "must be NAME=PATH"),
        (["one="], "must be NAME=PATH"),
        (["one={0}/nowhere"], "one: there is no folder"),
        (["one={0}/good/adapter_config.json"], "one: there is no folder"),
        (["one={0}"], "one: {0} is no adapter in PEFT's format"),
        (["one={0}/empty"], "one: {0}/empty has no weights"),
        (["one={0}/good", "one={0}/good"], "one: is given twice"),
        (["org/name={0}/good"], "org/name: is the name of the model itself"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    served: list[ServerConfig],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    sentence: str,
) -> None:
    make_adapter(tmp_path / "good")
    (make_adapter(tmp_path / "empty") / "adapter_model.safetensors").unlink()

    assert serve("--lora-modules", *(one.format(tmp_path) for one in given)) == 1

    assert sentence.format(tmp_path) in capsys.readouterr().err
    assert served == []


def test_a_served_name_is_the_models_name(
    served: list[ServerConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name that requests use is the one that must not come twice."""
    adapter = make_adapter(tmp_path / "good")

    assert serve("--served-model-name", "mine", "--lora-modules", f"org/name={adapter}") == 0
    assert serve("--served-model-name", "mine", "--lora-modules", f"mine={adapter}") == 1

    assert "mine: is the name of the model itself" in capsys.readouterr().err
