"""What `triptych doctor` looks at. Each check is a function that returns what it found.

Packages are imported in a child process: vLLM's import is slow and loud, and a broken native
library can end the process that imports it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.config import resolve_model, resolve_sidecar
from service.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_PYTHON = (3, 11)
MIN_MEMORY_GIB = 4.0
MIN_SHM_GIB = 0.5

_PACKAGES = {
    "vllm": "vllm",
    "torch": "torch",
    "grpc": "grpcio",
    "google.protobuf": "protobuf",
    "av": "av",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "PIL": "pillow",
}
_INSTALL = "run `make setup`, or pip install"
_IMPORT_TIMEOUT_S = 180
_GIB = 1024**3
_GPU_PROBE = (
    "import torch; print(', '.join(torch.cuda.get_device_name(i)"
    " for i in range(torch.cuda.device_count())))"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; the cure matters only when it is not ok."""

    name: str
    is_ok: bool
    found: str
    cure: str = ""
    is_required: bool = True


def run_checks(sidecar: str | None) -> Iterator[Check]:
    """Give each finding as soon as it is known, always in the same order."""
    yield check_python()
    yield check_memory()
    yield check_shared_memory(Path("/dev/shm"))  # noqa: S108  # looked at, not written to
    yield check_sidecar(sidecar)
    yield check_demo_model()
    # Imports take seconds each and mostly wait for the disk.
    with ThreadPoolExecutor() as pool:
        device = pool.submit(check_accelerator)
        yield from pool.map(check_package, _PACKAGES, _PACKAGES.values())
        yield device.result()


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Look at the interpreter's version."""
    wanted = ".".join(map(str, MIN_PYTHON))
    return Check(
        "python",
        version >= MIN_PYTHON,
        ".".join(map(str, version)),
        f"use Python {wanted} or newer",
    )


def check_package(module: str, distribution: str) -> Check:
    """Import a package in a child process and look at its version."""
    output, problem = _run_python(f"import {module} as m; print(m.__version__)")
    if problem:
        return Check(module, is_ok=False, found=problem, cure=f"{_INSTALL} {distribution}")
    return Check(module, is_ok=True, found=output)


def check_sidecar(given: str | None) -> Check:
    """Look for the tokenizer sidecar and ask it for its version."""
    cure = "run `make sidecar`, or name it with --sidecar FILE"
    try:
        path = resolve_sidecar(given)
    except StartupError as error:
        return Check("sidecar", is_ok=False, found=str(error).partition(";")[0], cure=cure)
    output, problem = _run([str(path), "--version"])
    if problem:
        return Check("sidecar", is_ok=False, found=f"{path} does not run: {problem}", cure=cure)
    return Check("sidecar", is_ok=True, found=f"{output} ({path})")


def check_demo_model() -> Check:
    """Look for the bundled model, which a server that names its own model does not need."""
    try:
        directory, _ = resolve_model(None)
    except StartupError as error:
        found, _, cure = str(error).partition("; ")
        return Check("demo model", is_ok=False, found=found, cure=cure, is_required=False)
    return Check("demo model", is_ok=True, found=directory)


def check_memory() -> Check:
    """Look at the memory that is free now."""
    free_gib = _free_memory_gib()
    return Check(
        "memory",
        free_gib >= MIN_MEMORY_GIB,
        f"{free_gib:.1f} GiB free",
        f"the demo model needs {MIN_MEMORY_GIB:g} GiB; end other programs",
        is_required=False,
    )


def check_shared_memory(directory: Path) -> Check:
    """Look at the shared memory over which the engine's processes talk."""
    if not directory.is_dir():
        return Check(
            "shared memory",
            is_ok=False,
            found=f"no {directory}",
            cure="mount one",
            is_required=False,
        )
    free_gib = shutil.disk_usage(directory).free / _GIB
    return Check(
        "shared memory",
        free_gib >= MIN_SHM_GIB,
        f"{free_gib:.1f} GiB free",
        "give the container more: docker run --shm-size=2g",
        is_required=False,
    )


def check_accelerator() -> Check:
    """Look for GPUs; without one a server runs on the CPU."""
    names, problem = _run_python(_GPU_PROBE)
    if problem:
        return Check(
            "device", is_ok=False, found=problem, cure=f"{_INSTALL} torch", is_required=False
        )
    return Check("device", is_ok=True, found=names or f"CPU, {os.cpu_count()} cores")


def _free_memory_gib() -> float:
    """Return what Linux calls available, or all free pages on other systems."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 / _GIB
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB


def _run_python(code: str) -> tuple[str, str]:
    """Run code in a child interpreter; return the last line of its output, or a problem."""
    return _run([sys.executable, "-c", code])


def _run(command: list[str]) -> tuple[str, str]:
    """Run a command; return the last line that it printed, or else what went wrong."""
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, or the operator's own binary
            command, capture_output=True, text=True, timeout=_IMPORT_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {_IMPORT_TIMEOUT_S} s"
    except OSError as error:
        return "", str(error)
    if done.returncode != 0:
        return "", _last_line(done.stderr) or f"exit code {done.returncode}"
    return _last_line(done.stdout), ""


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
