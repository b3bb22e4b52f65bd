"""The Dockerfile is clean, and does not drift from the scripts that `make` runs."""

from __future__ import annotations

from tests.architecture.repository import ROOT, output_of_failure

TEXT = (ROOT / "Dockerfile").read_text()


def test_dockerfile_is_clean() -> None:
    """By hadolint, with every rule."""
    assert output_of_failure("hadolint", "Dockerfile") == ""


def test_image_is_built_by_the_same_scripts() -> None:
    """What works here works there."""
    assert "scripts/setup_system.sh" in TEXT
    assert "scripts/build_sidecar.sh" in TEXT


def test_image_does_not_run_as_root() -> None:
    """The last user of the last stage is an ordinary one."""
    users = [line.split()[1] for line in TEXT.splitlines() if line.startswith("USER ")]
    assert users
    assert users[-1].split(":")[0] not in {"root", "0"}
