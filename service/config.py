"""The only reader of flags' values, files and environment; hands out frozen dataclasses."""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from service.domain.limits import MediaLimits, SessionLimits
from service.domain.model import Adapter
from service.errors import StartupError

_PROJECT_ROOT = Path(__file__).resolve().parent.parent
_DEMO_MODEL = _PROJECT_ROOT / "demo" / "model"
_SIDECAR_BINARY = _PROJECT_ROOT / "build" / "sidecar" / "triptych-tokenizer"


@dataclass(frozen=True, slots=True)
class MediaConfig:
    """What `triptych serve` needs to know about media."""

    workers: int
    worker_memory_bytes: int = 4 << 30
    worker_cpu_s: float = 60.0
    worker_wall_s: float = 120.0
    cache_bytes: int = 1 << 30
    in_flight_bytes: int = 1 << 30
    allowed_hosts: tuple[str, ...] = ()
    allowed_roots: tuple[Path, ...] = ()
    fetch_first_byte_s: float = 5.0
    fetch_total_s: float = 30.0
    store: Path | None = None
    store_bytes: int = 10 << 30
    store_max_age_s: float = 24 * 3600.0
    caller_header: str | None = None
    limits: MediaLimits = field(default_factory=MediaLimits)


@dataclass(frozen=True, slots=True)
class MediaWorkerModel:
    """The model that workers prepare media for: its place or hub name, and the engine's flags."""

    model: str
    engine_flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestConfig:
    """How many requests are served, and how long they may take; None: as the engine allows."""

    max_running_requests: int | None = None
    max_waiting_requests: int = 1024
    max_waiting_tokens: int | None = None
    deadline_margin_s: float = 0.25
    reader_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What `triptych serve` needs to know."""

    model: str
    served_model_name: str
    listen: str
    sidecar_binary: Path
    grace_s: float
    max_message_bytes: int
    media: MediaConfig
    log_level: str
    metrics_listen: str | None = None
    chat_template: Path | None = None
    tool_call_parser: str | None = None
    tool_parser_plugin: Path | None = None
    prompt_format: str | None = None
    adapters: tuple[Adapter, ...] = ()
    sessions: SessionLimits = field(default_factory=SessionLimits)
    engine_flags: tuple[str, ...] = field(default=())
    requests: RequestConfig = field(default_factory=RequestConfig)


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


def check_tool_parser_plugin(plugin: Path | None, tool_call_parser: str | None) -> None:
    """Raise StartupError for a plugin that is not there, or of which no parser is named."""
    if plugin is None:
        return
    if not tool_call_parser:
        raise StartupError("--tool-parser-plugin: name its parser too, by --tool-call-parser NAME")
    if not plugin.is_file():
        raise StartupError(f"--tool-parser-plugin: there is no file {plugin}")


def default_media_workers() -> int:
    """Leave one core to the event loop."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


def media_worker_environment() -> dict[str, str]:
    """Return the environment of the media workers.

    One thread each, for there are several. And glibc keeps what a photo took for the next one
    (mallopt(3)): to get those pages anew from the kernel is two fifths of a photo's time.
    """
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    # They import this very package, wherever the server was started.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    own = {
        "PYTHONPATH": path,
        "TOKENIZERS_PARALLELISM": "false",
        "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    }
    return {**os.environ, **dict.fromkeys(threads, "1"), **own}


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
        # torch warns of its own deprecated parts when vLLM looks at them.
        "PYTHONWARNINGS": "default" if verbose else "ignore::FutureWarning",
        # A second copy of the engine's memory is never wanted.
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    }
    if not verbose:
        # torch takes no empty value.
        defaults["TORCH_LOGS"] = "-all"
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if not verbose:
        # This process has read PYTHONWARNINGS already.
        warnings.simplefilter("ignore", FutureWarning)
