"""vLLM's own engine flags, with defaults under which a machine without a GPU just works.

Every flag of `AsyncEngineArgs` passes through by its own name, parsed by vLLM's own parser; a
default of ours holds only where the caller gave no flag.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.platforms import current_platform
from vllm.utils.argparse_utils import FlexibleArgumentParser

from service.errors import StartupError

# On CPU `gpu_memory_utilization` is a share of RAM, and vLLM's 0.92 asks for more than is free.
_CPU_DEFAULTS = {
    "--enforce-eager": [],
    "--dtype": ["bfloat16"],
    "--gpu-memory-utilization": ["0.3"],
}


class _RefusingParser(FlexibleArgumentParser):
    """Raises StartupError where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        raise StartupError(f"engine flags: {message}; `triptych engine-flags` lists them all")


def engine_flags_help() -> str:
    """Return the help text of all engine flags."""
    return str(_parser().format_help())  # type: ignore[no-untyped-call]


def parse_engine_args(model: str, flags: Sequence[str]) -> AsyncEngineArgs:
    """Parse `flags`; raises StartupError for an unknown flag or a wrong value."""
    given = {flag.split("=", 1)[0].replace("_", "-") for flag in flags if flag.startswith("--")}
    defaults = _CPU_DEFAULTS if current_platform.is_cpu() else {}
    tokens = [
        token
        for flag, values in defaults.items()
        if flag not in given and f"--no-{flag.removeprefix('--')}" not in given
        for token in (flag, *values)
    ]
    namespace = _parser().parse_args(["--model", model, *tokens, *flags])
    args: AsyncEngineArgs = AsyncEngineArgs.from_cli_args(namespace)
    return args


def _parser() -> FlexibleArgumentParser:
    parser = _RefusingParser(prog="triptych serve [MODEL]", add_help=False)  # type: ignore[no-untyped-call]
    return AsyncEngineArgs.add_cli_args(parser)
