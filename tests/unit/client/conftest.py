"""What the client's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.client.both_clients import Ask, ask_in_a_loop, ask_plainly
from tests.unit.client.fake_server import FakeServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Run a scripted server for one test."""
    with FakeServer() as server:
        yield server


@pytest.fixture(params=[ask_plainly, ask_in_a_loop])
def ask(request: pytest.FixtureRequest, server: FakeServer) -> Ask:
    """Ask the scripted server with either client."""
    server.script = []
    return request.param(server.target)
