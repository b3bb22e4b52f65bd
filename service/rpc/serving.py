"""What the servicers serve: nothing while the model loads, then a model, then nothing again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from service.domain.conversation import Modality
from service.domain.embedding import EmbeddingRequest, Embeddings
from service.domain.events import Event, GenerationRequest
from service.domain.limits import SessionLimits
from service.domain.model import ModelDescription, PromptFormat, Task
from service.domain.prompt_preview import MeasuredPrompt, PromptPreview
from service.errors import (
    EngineUnavailableError,
    ModelNotFoundError,
    ShuttingDownError,
    TaskUnsupportedError,
)
from service.ports import MediaProber, SessionMediaSource, Tokenizer
from service.sessions.places import SessionPlaces

_MOST_NAMES_TOLD = 20


class AnswersRequests(Protocol):
    """What `generator.Generator` is to the servicers."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Answer one request."""


class MakesEmbeddings(Protocol):
    """What `embedder.Embedder` is to the servicers."""

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Make all vectors."""


class MakesPrompts(Protocol):
    """What `prompter.Prompter` is to the servicers."""

    async def measure(self, request: GenerationRequest) -> MeasuredPrompt:
        """Make the prompt to know its size."""

    async def preview(self, request: GenerationRequest) -> PromptPreview:
        """Make the prompt to look at."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to answer."""

    description: ModelDescription
    prompt_format: PromptFormat
    generator: AnswersRequests
    embedder: MakesEmbeddings
    prober: MediaProber
    prompter: MakesPrompts
    tokenizer: Tokenizer
    placeholders: Mapping[Modality, str]
    session_media: SessionMediaSource


class Serving:
    """Holds the loaded model between `open` and `close`, and the bounds of sessions."""

    def __init__(self, session_limits: SessionLimits | None = None) -> None:
        self.session_limits = session_limits or SessionLimits()
        self.session_places = SessionPlaces(self.session_limits.count)
        self._loaded: LoadedModel | None = None
        self._is_closed = False
        self._to_tell: set[Callable[[], None]] = set()

    def open(self, model: LoadedModel) -> None:
        """Serve this model from now on."""
        self._loaded = model

    def close(self) -> None:
        """Take no new requests; those that run go on."""
        self._is_closed = True
        for tell in tuple(self._to_tell):
            tell()

    @contextmanager
    def told_of_close(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` at `close`, if that comes while the block runs; for calls that last."""
        self._to_tell.add(tell)
        try:
            yield
        finally:
            self._to_tell.discard(tell)

    def check_open(self) -> None:
        """Raise ShuttingDownError after `close`; for calls that need no model."""
        if self._is_closed:
            raise ShuttingDownError("the server is stopping; use another replica")

    def loaded(self) -> LoadedModel:
        """Return the model; raises ShuttingDownError or EngineUnavailableError."""
        self.check_open()
        if self._loaded is None:
            raise EngineUnavailableError("the model is still being loaded; retry in a few seconds")
        return self._loaded

    def model(self, name: str) -> LoadedModel:
        """Return the model that has that name, or an adapter of that name; empty: the model.

        Raises ModelNotFoundError.
        """
        loaded = self.loaded()
        served = (loaded.description.name, *loaded.description.adapters)
        if name not in ("", *served):
            names = ", ".join(map(repr, served[:_MOST_NAMES_TOLD]))
            raise ModelNotFoundError(
                f"model: {name!r} is not served here; this server has {names}",
                field="model",
                model=name,
            )
        return loaded

    def model_for(self, task: Task, name: str) -> LoadedModel:
        """Return what `model` returns, if it does this; raises TaskUnsupportedError too."""
        loaded = self.model(name)
        tasks = ", ".join(loaded.description.tasks)
        if task not in loaded.description.tasks:
            raise TaskUnsupportedError(
                f"model: {loaded.description.name!r} is loaded to {tasks}, not to {task}",
                field="model",
                task=task.value,
                tasks=tasks,
            )
        return loaded
