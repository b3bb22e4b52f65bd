"""vLLM, through our adapter, keeps the promises of the `Engine` port."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.contract.engine_contract import EngineContract


class TestVllmEngine(EngineContract):
    @pytest.fixture
    def engine(self, server: Any) -> Any:
        return server.application.engine

    @pytest.fixture
    def run(self, server: Any) -> Any:
        return lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, server.loop).result(60)
