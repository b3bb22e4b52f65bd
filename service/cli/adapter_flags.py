"""The flag of `triptych serve` that names adapters, and what must be right with them.

Only what can be seen from outside is looked at here, before anything is loaded: names and files.
What is in the files is the engine's to judge (service/engine/adapters.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from service.domain.model import Adapter
from service.errors import StartupError

_FLAG = "--lora-modules"
_CONFIG = "adapter_config.json"
# Those that vLLM looks for.
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt")


def add_adapter_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flag."""
    parser.add_argument(
        _FLAG,
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=PATH",
        help="folders with LoRA adapters in PEFT's format, and the names that requests choose them "
        "by; vLLM's own flags, such as --max-lora-rank and --max-loras, hold for all",
    )


def to_adapters(arguments: argparse.Namespace, served_name: str) -> tuple[Adapter, ...]:
    """Return the adapters; raises StartupError for a name or a folder that cannot be."""
    adapters = [_to_adapter(given) for given in arguments.lora_modules]
    _check_names([adapter.name for adapter in adapters], served_name)
    for adapter in adapters:
        _check_folder(adapter)
    return tuple(adapters)


def _to_adapter(given: str) -> Adapter:
    name, equals, path = given.partition("=")
    if not (name and equals and path):
        raise StartupError(f"{_FLAG} {given}: must be NAME=PATH, such as french=/models/french")
    return Adapter(name, Path(path).expanduser().resolve())


def _check_names(names: Sequence[str], served_name: str) -> None:
    for index, name in enumerate(names):
        if name == served_name:
            raise StartupError(f"{_FLAG} {name}: is the name of the model itself; choose another")
        if name in names[:index]:
            raise StartupError(f"{_FLAG} {name}: is given twice; each adapter needs its own name")


def _check_folder(adapter: Adapter) -> None:
    folder = adapter.directory
    if not folder.is_dir():
        raise StartupError(f"{_FLAG} {adapter.name}: there is no folder {folder}")
    if not (folder / _CONFIG).is_file():
        raise StartupError(
            f"{_FLAG} {adapter.name}: {folder} is no adapter in PEFT's format: it has no {_CONFIG}"
        )
    if not any((folder / weights).is_file() for weights in _WEIGHTS):
        raise StartupError(f"{_FLAG} {adapter.name}: {folder} has no weights ({_WEIGHTS[0]})")
