"""The fake tokenizer keeps the promises of the port."""

from __future__ import annotations

import pytest

from service.errors import TokenizerUnavailableError
from tests.contract.tokenizer_contract import TokenizerContract
from tests.fakes.fake_tokenizer import FakeTokenizer


class TestFakeTokenizer(TokenizerContract):
    """The contract, and what only the fake does."""

    @pytest.fixture
    def tokenizer(self) -> FakeTokenizer:
        """A fresh fake."""
        return FakeTokenizer()

    async def test_it_can_be_away(self, tokenizer: FakeTokenizer) -> None:
        """Switched off, it fails as a sidecar that is away."""
        tokenizer.is_available = False

        with pytest.raises(TokenizerUnavailableError):
            await tokenizer.encode("a")
