"""An engine in memory: it answers with ids that the test wrote, one step at a time.

Every medium takes two placeholder tokens. It keeps the promises of the `Engine` port, proved by the
contract suite that the real engine passes too (tests/contract/engine_contract.py).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence

from service.domain.conversation import Modality
from service.domain.embedding import EmbeddingOptions, EngineVector
from service.domain.events import EngineDelta, FinishReason
from service.domain.media import PlaceholderSpan, PreparedMedia, PreparedPrompt
from service.domain.model import ModelDescription, ModelMemory
from service.domain.parsed import ReasoningStart
from service.domain.sampling import Sampling
from service.errors import EngineUnavailableError, InvalidRequestError, PromptTooLongError

# One for each of the fake renderer's marks; any of them takes any medium.
PLACEHOLDER_IDS = (297, 298, 299)
PLACEHOLDER_ID = PLACEHOLDER_IDS[-1]
TOKENS_A_MEDIUM = 2

FAKE_MODEL = ModelDescription(
    name="fake",
    architecture="FakeForConditionalGeneration",
    model_type="fake",
    directory="/nowhere",
    part_limits={Modality.IMAGE: 2, Modality.AUDIO: 1},
    max_model_tokens=64,
    vocabulary_size=300,
    default_sampling=Sampling(temperature=0.5),
    dtype="float32",
    quantization="",
    kv_cache_tokens=640,
    audio_sample_rate_hz=16_000,
    memory=ModelMemory(
        weights_bytes=4000,
        encoder_weights_bytes=1000,
        kv_cache_bytes=640 * 16,
        kv_cache_bytes_per_token=16,
        tensor_parallel_size=1,
        pipeline_parallel_size=1,
    ),
)


class FakeEngine:
    """Answers every prompt with the same steps."""

    def __init__(self, steps: Sequence[bytes] = (b"He", b"llo"), stop_id: int = 0) -> None:
        """Each step's bytes are its token ids; then `stop_id` ends the answer."""
        self.model = FAKE_MODEL
        self.steps = list(steps)
        self.stop_id = stop_id
        self.running: set[str] = set()
        self.prompts: list[tuple[list[int], list[PreparedMedia]]] = []
        self.idle = asyncio.Event()  # set while nothing runs
        self.hold = asyncio.Event()  # while not set, the engine waits after its first step
        self.hold.set()
        self.queue = asyncio.Event()  # while not set, the engine waits before its first step
        self.queue.set()
        self.priorities: list[int] = []
        self.adapters: list[str] = []
        self.asked: list[tuple[Sampling, ReasoningStart | None]] = []
        self.most_at_once = 0
        self._ended: set[tuple[str, int]] = set()  # outputs that were told to end
        self._dead = asyncio.Event()

    def die(self) -> None:
        """Fail every call from now on, as a killed engine process does."""
        self._dead.set()
        self.hold.set()

    async def prepare(
        self,
        token_ids: Sequence[int],
        media: Sequence[PreparedMedia],
        *,
        may_be_too_long: bool = False,
    ) -> PreparedPrompt:
        """Expand each placeholder to two tokens."""
        self._reject_dead()
        self.prompts.append((list(token_ids), list(media)))
        places = [index for index, token in enumerate(token_ids) if token in PLACEHOLDER_IDS]
        if len(places) < len(media):
            raise InvalidRequestError("prompt", "its placeholders do not match its media")
        spans = tuple(
            PlaceholderSpan(item.field, item.modality, place + index, TOKENS_A_MEDIUM)
            for index, (place, item) in enumerate(zip(places, media, strict=False))
        )
        expanded = list(token_ids)
        for place in reversed(places[: len(media)]):
            expanded[place : place + 1] = [token_ids[place]] * TOKENS_A_MEDIUM
        count = len(expanded)
        if count > self.model.max_prompt_tokens and not may_be_too_long:
            raise PromptTooLongError(
                "prompt", "max_model_tokens", self.model.max_prompt_tokens, count
            )
        return PreparedPrompt(count, spans, None, token_ids=expanded)

    async def generate(  # noqa: PLR0913 - how, all by name
        self,
        request_id: str,
        prompt: PreparedPrompt,
        sampling: Sampling,
        *,
        priority: int = 0,
        adapter: str = "",
        reasoning: ReasoningStart | None = None,
    ) -> AsyncIterator[EngineDelta]:
        """Give the steps of every output in turn; how to is only kept."""
        self._reject_dead()
        self.adapters.append(adapter)
        self.asked.append((sampling, reasoning))
        self.running.add(request_id)
        self.priorities.append(priority)
        self.idle.clear()
        try:
            await self.queue.wait()
            for index in range(sampling.n):
                is_last = index == sampling.n - 1
                async for delta in self._one_output(request_id, index, is_last, sampling):
                    yield delta
        finally:
            self.running.discard(request_id)
            self._ended = {one for one in self._ended if one[0] != request_id}
            if not self.running:
                self.idle.set()

    async def embed(
        self,
        request_id: str,
        prompt: PreparedPrompt,
        options: EmbeddingOptions,
        *,
        adapter: str = "",
    ) -> EngineVector:
        """Give a vector that tells the prompt's length; it waits while `hold` is not set."""
        self._reject_dead()
        self.running.add(request_id)
        self.adapters.append(adapter)
        self.most_at_once = max(self.most_at_once, len(self.running))
        self.idle.clear()
        try:
            await self.hold.wait()
            self._reject_dead()
        finally:
            self.running.discard(request_id)
            if not self.running:
                self.idle.set()
        values = [float(prompt.token_count), 3.0, 4.0, 0.0][: options.dimensions]
        length = math.hypot(*values) if options.normalize is not False else 1.0
        return EngineVector([value / length for value in values], cached_tokens=1)

    async def end_output(self, request_id: str, output_index: int) -> None:
        """Give no more steps of that output."""
        if request_id in self.running:
            self._ended.add((request_id, output_index))

    async def wait_until_dead(self) -> None:
        """Return after `die`."""
        await self._dead.wait()

    async def _one_output(
        self, request_id: str, index: int, is_last: bool, sampling: Sampling
    ) -> AsyncIterator[EngineDelta]:
        left = sampling.max_tokens or self.model.max_model_tokens
        times = {"queue_s": 0.1, "prefill_s": 0.2, "generate_s": 0.3} if is_last else {}
        for step in self.steps:
            if (request_id, index) in self._ended:
                break
            ids = tuple(step[:left])
            left -= len(ids)
            if not left:
                yield EngineDelta(index, ids, FinishReason.LENGTH)
                return
            yield EngineDelta(index, ids)
            await self.hold.wait()
            self._reject_dead()
        if (request_id, index) in self._ended:
            yield EngineDelta(index, (), FinishReason.ABORTED, **times)
        else:
            yield EngineDelta(index, (self.stop_id,), FinishReason.STOP, **times)

    def _reject_dead(self) -> None:
        if self._dead.is_set():
            raise EngineUnavailableError("the engine died; retry on another replica")
