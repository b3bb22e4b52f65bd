"""Each family: its checkpoint, both renderers, and a sidecar on its tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer

from service.config import prepare_engine_environment
from tests.conformance.formats.checkpoints import Checkpoint
from tests.conformance.formats.families import CHECKPOINTS
from tests.conformance.formats.families.whisper import WHISPER
from tests.unit.tokenizer.running_sidecar import connect

if TYPE_CHECKING:
    from tests.conformance.formats.our_prompts import OurPrompts
    from tests.conformance.formats.vllm_prompts import VllmPrompts

CONNECTOR = "decoded-media"


@dataclass(frozen=True)
class Family:
    """A family's checkpoint and its tokenizer, and the two that make prompts for it."""

    checkpoint: Checkpoint
    directory: Path
    tokenizer: Tokenizer
    ours: OurPrompts
    vllm: VllmPrompts


@pytest.fixture(scope="package", autouse=True)
def _environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_MEDIA_CONNECTOR", CONNECTOR)
        patch.setenv("HF_HUB_OFFLINE", "1")
        prepare_engine_environment("info")
        from vllm.model_executor.models import registry

        # What a class can do is asked in a process of its own, which imports all of vLLM anew.
        patch.setattr(registry, "_run_in_subprocess", lambda ask: ask())
        yield


class Families:
    """Opens each family when it is first asked for; small as they are, all stay open."""

    def __init__(self, directories: pytest.TempPathFactory, opened: ExitStack) -> None:
        self._directories = directories
        self._opened = opened
        self._families: dict[str, Family] = {}

    def open(self, name: str) -> Family:
        """Return the family of that name."""
        if name not in self._families:
            running = _running(name, self._directories)
            self._families[name] = self._opened.enter_context(running)
        return self._families[name]


@contextmanager
def _running(name: str, directories: pytest.TempPathFactory) -> Iterator[Family]:
    from service.engine.engine_args import parse_engine_args
    from tests.conformance.formats.our_prompts import OurPrompts
    from tests.conformance.formats.vllm_prompts import VllmPrompts

    checkpoint = WHISPER if name == WHISPER.name else CHECKPOINTS[name]
    directory = directories.mktemp(name)
    checkpoint.make(directory)
    args = parse_engine_args(str(directory), checkpoint.engine_flags())
    config = args.create_engine_config()
    with connect(directory / "tokenizer.json", directory / "sidecar.sock") as sidecar:
        yield Family(
            checkpoint,
            directory,
            Tokenizer.from_file(str(directory / "tokenizer.json")),
            OurPrompts(directory, args, config, sidecar),
            VllmPrompts(config),
        )


@pytest.fixture(scope="package")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Families]:
    with ExitStack() as opened:
        yield Families(tmp_path_factory, opened)


@pytest.fixture
def family(request: pytest.FixtureRequest, families: Families) -> Family:
    """The family that the test's parameter names."""
    return families.open(request.param)
