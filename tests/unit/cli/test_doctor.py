"""`triptych doctor`, its findings and its words."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from service.cli import doctor, doctor_checks
from service.cli.doctor_checks import Check
from tests.unit.cli.command_line import run

if TYPE_CHECKING:
    from pathlib import Path

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

    assert run("doctor") == doctor.OK
    assert capsys.readouterr().out == "✓ vllm: 0.32.0\na server can start\n"


def test_a_required_gap_is_an_error_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Exit code 1, and the line tells what to do."""
    find(monkeypatch, GOOD, BAD)

    assert run("doctor") == doctor.MISSING
    assert "✗ sidecar: no file → run `make sidecar`\n" in capsys.readouterr().out


def test_an_optional_gap_is_only_told(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """A server can start without it."""
    find(monkeypatch, OPTIONAL)

    assert run("doctor") == doctor.OK
    assert "! memory: 1 GiB free → free some\n" in capsys.readouterr().out


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Programs get the same findings and the same exit code."""
    find(monkeypatch, GOOD, BAD)
    code = run("doctor", "--json")
    report = json.loads(capsys.readouterr().out)

    assert code == doctor.MISSING
    assert report["ok"] is False
    assert [check["name"] for check in report["checks"]] == ["vllm", "sidecar"]


def test_an_old_python_is_found() -> None:
    """The cure names the version to use."""
    assert doctor_checks.check_python((3, 12, 1)).is_ok
    assert not doctor_checks.check_python((3, 9, 0)).is_ok


def test_a_package_tells_its_version() -> None:
    """It is imported in a child process."""
    assert doctor_checks.check_package("json", "json").found == json.__version__


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
    assert {"python", "vllm", "sidecar", "demo model", "memory", "device"} <= set(names)
