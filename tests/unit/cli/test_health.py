"""`triptych health`, against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from grpc_health.v1 import health_pb2

from service.cli.exit_codes import ExitCode
from tests.unit.cli.command_line import run

if TYPE_CHECKING:
    from tests.unit.client.fake_server import FakeServer

Capture = pytest.CaptureFixture[str]


def test_a_server_that_serves_is_healthy(server: FakeServer, capsys: Capture) -> None:
    """Exit code 0, and the status for a person."""
    assert run("health", "--target", server.target) == ExitCode.OK
    assert capsys.readouterr().out == "SERVING\n"


def test_a_server_that_loads_is_not_healthy(server: FakeServer, capsys: Capture) -> None:
    """It answers, but must not get traffic yet."""
    server.health = (health_pb2.HealthCheckResponse.NOT_SERVING,)

    assert run("health", "--target", server.target) == ExitCode.FAILED
    assert capsys.readouterr().out == "NOT_SERVING\n"


def test_no_server_is_not_healthy(capsys: Capture) -> None:
    """Exit code 1, as Docker knows no other, and the target is named."""
    assert run("health", "--target", "localhost:1") == ExitCode.FAILED
    assert "no answer from localhost:1" in capsys.readouterr().err


def test_a_probe_does_not_use_the_proxy(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container with `http_proxy` still reaches its own server."""
    monkeypatch.setenv("http_proxy", "http://localhost:1")

    assert run("health", "--target", server.target) == ExitCode.OK
