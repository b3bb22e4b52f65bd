"""The way of an embedding request: each input's prompt made, then made a vector by the engine.

Inputs are worked on side by side, a bounded number at once, so that a call of a thousand texts
fills the engine's batches without filling its memory. The first failure ends the call; its field
is told where it lies in the whole request, such as `inputs[2].media[0].image`.

Tested by tests/unit/test_embedder.py on fakes and by tests/conformance/embeddings on real engines.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from service.admission import Admission
from service.domain.conversation import Modality
from service.domain.embedding import (
    Embedding,
    EmbeddingOptions,
    EmbeddingRequest,
    Embeddings,
    EngineVector,
)
from service.domain.events import GenerationRequest, Usage
from service.domain.media import PreparedPrompt
from service.domain.model import EmbeddingSize
from service.errors import InvalidRequestError, TriptychError
from service.ports import Engine
from service.prompter import Prompter

_MOST_AT_ONCE = 32
# Each holds its media, decoded, until the engine has them.
_MOST_WITH_MEDIA_AT_ONCE = 4
# Fields of the request as a whole, which no input has of its own.
_SHARED_FIELDS = ("prompt_options", "media_options")


@dataclass(frozen=True, slots=True)
class _Made:
    """One input's prompt and vector."""

    prompt: PreparedPrompt
    vector: EngineVector


@dataclass(frozen=True, slots=True)
class Embedder:
    """Embeds with the parts that it was given."""

    engine: Engine
    prompter: Prompter
    admission: Admission

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Make all vectors; raises the errors of errors.py."""
        options = _possible(request.options, self.engine.model.embedding)
        request_id = uuid.uuid4().hex
        all_at_once = asyncio.Semaphore(_MOST_AT_ONCE)
        media_at_once = asyncio.Semaphore(_MOST_WITH_MEDIA_AT_ONCE)

        async def embed_one(index: int, one: GenerationRequest) -> _Made:
            bound = media_at_once if one.prompt.media_parts() else all_at_once
            async with bound:
                try:
                    return await self._embed_one(f"{request_id}-{index}", one, options)
                except TriptychError as error:
                    raise error.renamed(partial(field_of_input, index)) from error

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(embed_one(index, one))
                    for index, one in enumerate(request.inputs)
                ]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        made = [task.result() for task in tasks]
        return Embeddings(
            request_id,
            request.model or self.engine.model.name,
            tuple(_to_embedding(one) for one in made),
            _total_usage(made),
        )

    async def _embed_one(
        self, request_id: str, one: GenerationRequest, options: EmbeddingOptions
    ) -> _Made:
        with self.admission.visit(one.caller) as visit:
            async with visit.bounded(None):
                prompt = (await self.prompter.prompt(one)).prompt
                await visit.take_slot(prompt.token_count)
            adapter = self.engine.model.adapter_of(one.model)
            vector = await self.engine.embed(request_id, prompt, options, adapter=adapter)
        return _Made(prompt, vector)


def field_of_input(index: int, field: str) -> str:
    """Return where a field of one input lies in the request: `text` → `inputs[2].text`."""
    return field if field.startswith(_SHARED_FIELDS) else f"inputs[{index}].{field}"


def _possible(options: EmbeddingOptions, size: EmbeddingSize | None) -> EmbeddingOptions:
    """Return the options as the engine takes them; raises InvalidRequestError."""
    wanted = options.dimensions
    if wanted is None or size is None:
        return options
    if wanted == size.dimensions:  # which the engine would refuse of vectors that stay whole
        return options._replace(dimensions=None)
    if not size.can_be_shortened:
        raise InvalidRequestError(
            "dimensions",
            f"the model's vectors cannot be shortened; leave it unset, or {size.dimensions}",
        )
    if not 1 <= wanted <= size.dimensions:
        raise InvalidRequestError(
            "dimensions", f"must be between 1 and {size.dimensions}, got {wanted}"
        )
    if size.shortened and wanted not in size.shortened:
        choices = ", ".join(map(str, size.shortened))
        raise InvalidRequestError("dimensions", f"must be one of {choices}, got {wanted}")
    return options


def _to_embedding(made: _Made) -> Embedding:
    return Embedding(made.vector.values, made.prompt.token_count, made.prompt.placeholders)


def _total_usage(made: Sequence[_Made]) -> Usage:
    media_tokens = sum((one.prompt.media_tokens for one in made), Counter[Modality]())
    return Usage(
        prompt_tokens=sum(one.prompt.token_count for one in made),
        media_tokens=dict(media_tokens),
        cached_tokens=sum(one.vector.cached_tokens for one in made),
        completion_tokens=0,
    )
