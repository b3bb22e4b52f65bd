"""vLLM, through our adapter, keeps the promises of the `Engine` port."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineData,
    MediaSource,
    Message,
    PromptOptions,
    Role,
)
from tests.contract.engine_contract import EngineContract, Illustrated
from tests.end_to_end.media_files import new_picture, new_sound


class TestVllmEngine(EngineContract):
    @pytest.fixture
    def engine(self, server: Any) -> Any:
        return server.application.engine

    @pytest.fixture
    def run(self, server: Any) -> Any:
        return lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, server.loop).result(60)

    @pytest.fixture
    def illustrated(self, server: Any, run: Any) -> Illustrated:
        parts = (
            ImagePart("first", MediaSource(InlineData(new_picture()))),
            AudioPart("second", MediaSource(InlineData(new_sound()))),
            ImagePart("third", MediaSource(InlineData(new_picture(100, 90)))),
        )
        return run(_illustrate(server.application._serving.loaded().prompter.prompter, parts))


async def _illustrate(way: Any, parts: Any) -> Illustrated:
    conversation = Conversation((Message(Role.USER, parts),))
    text = await way.renderer.render(conversation, PromptOptions())
    token_ids = await way.tokenizer.encode(text.text, literal_spans=text.literal_spans)
    return token_ids, await way.media_preparer.prepare(parts, caller="", limits={})
