"""The only reader of flags' values, files and environment; hands out frozen dataclasses."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import StartupError

_PROJECT_ROOT = Path(__file__).resolve().parent.parent
_DEMO_MODEL = _PROJECT_ROOT / "demo" / "model"
_SIDECAR_BINARY = _PROJECT_ROOT / "build" / "sidecar" / "triptych-tokenizer"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What `triptych serve` needs to know."""

    model: str
    served_model_name: str
    listen: str
    sidecar_binary: Path
    grace_s: float
    max_message_bytes: int
    decode_threads: int
    log_level: str
    engine_flags: tuple[str, ...] = field(default=())


def resolve_model(model: str | None) -> tuple[str, str]:
    """Return the checkpoint's directory or hub name, and the name to serve it under."""
    if model is None:
        if not (_DEMO_MODEL / "config.json").is_file():
            raise StartupError(
                "the bundled demo model is not here; name a model: triptych serve MODEL"
            )
        return str(_DEMO_MODEL), "demo"
    path = Path(model).expanduser()
    if path.is_dir():
        return str(path.resolve()), path.resolve().name
    if model.startswith((".", "/", "~")):
        raise StartupError(f"no model at {model}; give a directory with a config.json")
    return model, model


def resolve_sidecar(given: str | None) -> Path:
    """Return the sidecar's binary: the flag, TRIPTYCH_SIDECAR, or the one that `make` builds."""
    path = Path(given or os.environ.get("TRIPTYCH_SIDECAR") or _SIDECAR_BINARY)
    if not os.access(path, os.X_OK):
        raise StartupError(f"no tokenizer sidecar at {path}; run `make sidecar`")
    return path.resolve()


def default_decode_threads() -> int:
    """Leave one core to the event loop."""
    return max(1, (os.cpu_count() or 1) - 1)


def prepare_engine_environment(log_level: str) -> None:
    """Set what vLLM reads from the environment, where the operator has not set it.

    Must run before vLLM is imported; vLLM's child processes inherit it.
    """
    verbose = log_level == "debug"
    defaults = {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_LOGGING_LEVEL": "DEBUG" if verbose else "ERROR",
        "TRANSFORMERS_VERBOSITY": "info" if verbose else "error",
        "TQDM_DISABLE": "0" if verbose else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "0" if verbose else "1",
        "TORCH_CPP_LOG_LEVEL": "WARNING" if verbose else "ERROR",
        "TORCH_LOGS": "" if verbose else "-all",
        # torch warns of its own deprecated parts when vLLM looks at them.
        "PYTHONWARNINGS": "default" if verbose else "ignore::FutureWarning",
        # A second copy of the engine's memory is never wanted.
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if not verbose:
        # This process has read PYTHONWARNINGS already.
        warnings.simplefilter("ignore", FutureWarning)
