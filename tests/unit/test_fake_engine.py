"""The fake engine keeps the promises that the real one keeps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.domain.conversation import Modality
from service.domain.media import PreparedMedia
from tests.contract.engine_contract import EngineContract, Illustrated
from tests.fakes.fake_engine import PLACEHOLDER_ID, FakeEngine


class TestFakeEngine(EngineContract):
    @pytest.fixture
    def run(self) -> Any:
        with asyncio.Runner() as runner:
            yield runner.run

    @pytest.fixture
    def engine(self) -> FakeEngine:
        return FakeEngine()

    @pytest.fixture
    def illustrated(self) -> Illustrated:
        kinds = (Modality.IMAGE, Modality.AUDIO, Modality.IMAGE)
        media = [
            PreparedMedia(f"parts[{index}]", kind, f"digest {index}", item=None)
            for index, kind in enumerate(kinds)
        ]
        return (1, PLACEHOLDER_ID, 2, PLACEHOLDER_ID, PLACEHOLDER_ID, 3), media
