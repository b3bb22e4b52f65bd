"""The fake engine keeps the promises that the real one keeps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.contract.engine_contract import EngineContract
from tests.fakes.fake_engine import FakeEngine


class TestFakeEngine(EngineContract):
    @pytest.fixture
    def run(self) -> Any:
        with asyncio.Runner() as runner:
            yield runner.run

    @pytest.fixture
    def engine(self) -> FakeEngine:
        return FakeEngine()
