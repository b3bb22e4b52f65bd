"""A real server to provoke errors on: fakes behind the ports, real pieces of media on demand."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import grpc

from service.admission import Admission, AdmissionLimits
from service.domain.events import Event, GenerationRequest, TextDelta
from service.domain.limits import MediaLimits
from service.domain.media import DecodedMedia
from service.media.budget import ByteBudget
from service.media.fetch.allowed_hosts import AllowedHosts
from service.media.fetch.fetcher import Fetcher
from service.media.fetch.network import Network
from service.media.prepared_cache import PreparedCache
from service.media.preparer import WorkerMediaPreparer
from service.media.sources.resolver import SourceResolver
from service.media.store.media_store import MediaStore
from service.media.tasks import MediaTasks
from service.ports import PromptRenderer
from service.rpc.server import build_server
from service.rpc.serving import Serving
from tests.fakes.fake_way import FakeWay
from tests.fakes.in_process_workers import InProcessWorkers
from tests.unit.media.fetch.web import WebServer
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    media_service_pb2_grpc,
)

MAX_MESSAGE_BYTES = 1 << 20
# What an unexpected failure says inside; no client may ever read it.
SECRET = "password of the database"  # noqa: S105 - it is none


class FailingGenerator:
    """Answers nothing but an error: what a part behind the generator would raise."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Raise it before the first event."""
        raise self._error
        yield  # makes this a stream


class TalkingGenerator:
    """Talks for as long as it is listened to."""

    def __init__(self) -> None:
        self.was_ended = asyncio.Event()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Say the same for ever."""
        try:
            while True:
                yield TextDelta(0, "x" * 10_000)
        finally:
            self.was_ended.set()


class ErrorBench:
    """Everything that a test may replace before its first call, which starts the server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.way = FakeWay()
        self.serving = Serving()
        self.workers = InProcessWorkers(MediaTasks(_preprocess).run)
        self.store: MediaStore | None = None
        self.parts: dict[str, object] = {}
        self.reader_timeout_s = 60.0
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Load the model."""
        self.load()
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Stop everything."""
        await self._opened.aclose()

    def load(self) -> None:
        """Serve what is there now; again after a part was replaced."""
        self.serving.open(self.way.loaded(**self.parts))

    def unload(self) -> None:
        """Be as before the model is loaded."""
        self.serving = Serving()

    def use_generator(self, generator: object) -> None:
        """Let this answer."""
        self.parts["generator"] = generator
        self.load()

    def use_admission(self, limits: AdmissionLimits) -> None:
        """Let so many in."""
        admission = Admission(limits)
        self.way.generator = dataclasses.replace(self.way.generator, admission=admission)
        self.load()

    def use_renderer(self, renderer: PromptRenderer) -> None:
        """Let this make prompts of conversations."""
        self._replace(renderer=renderer)

    def use_media(
        self, *, allowed_hosts: tuple[str, ...] = (), in_flight_bytes: int = 1 << 20
    ) -> None:
        """Let the real pieces prepare media, decoders included; workers are in this process."""
        budget = ByteBudget(in_flight_bytes)
        fetcher = Fetcher(budget, Network(AllowedHosts(allowed_hosts))) if allowed_hosts else None
        resolver = SourceResolver(budget, fetcher=fetcher, paths=None, store=self.store)
        self._opened.push_async_callback(resolver.aclose)
        preparer = WorkerMediaPreparer(
            resolver,
            self.workers,
            PreparedCache(0),
            limits=MediaLimits(),
            audio_rate_hz=16_000,
        )
        self._replace(media_preparer=preparer)

    async def open_store(self) -> None:
        """Let callers upload; before `use_media`."""
        self.store = await MediaStore.start(
            self.folder / "store", max_bytes=1 << 20, max_age_s=60.0, max_medium_bytes=1 << 20
        )
        self._opened.push_async_callback(self.store.close)

    async def start_web(self) -> WebServer:
        """Start a host of files on this machine."""
        web = WebServer()
        await web.start()
        self._opened.push_async_callback(web.aclose)
        return web

    async def channel(self) -> grpc.aio.Channel:
        """Start the server, and connect to it."""
        server = build_server(
            f"unix:{self.folder}/rpc.sock",
            self.serving,
            max_message_bytes=MAX_MESSAGE_BYTES,
            media_store=self.store,
            reader_timeout_s=self.reader_timeout_s,
        )
        await server.start()
        self._opened.push_async_callback(server.stop, 0)
        channel = grpc.aio.insecure_channel(server.address)
        return await self._opened.enter_async_context(channel)

    async def generation_stub(self) -> generation_service_pb2_grpc.GenerationServiceStub:
        """Return what calls GenerationService."""
        return generation_service_pb2_grpc.GenerationServiceStub(await self.channel())

    async def generate(self, *, timeout_s: float | None = None, **fields: Any) -> None:
        """Ask for an answer, and read it to its end."""
        stub = await self.generation_stub()
        request = generation_service_pb2.GenerateRequest(**fields)
        async for _ in stub.Generate(request, timeout=timeout_s):
            pass

    async def converse(self, **message: Any) -> None:
        """Begin a session with one message, and listen to its end."""
        stub = await self.generation_stub()
        call = stub.Converse()
        await call.write(generation_service_pb2.ConverseRequest(**message))
        while await call.read() is not grpc.aio.EOF:
            pass

    async def ask_about(
        self, kind: str, *, limits: Any = None, timeout_s: float | None = None, **source: Any
    ) -> None:
        """Ask about one medium."""
        part = conversation_pb2.Part()
        getattr(part, kind).source.CopyFrom(media_pb2.MediaSource(**source))
        message = conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=[part])
        conversation = conversation_pb2.Conversation(messages=[message])
        options = media_pb2.MediaOptions(limits=limits)
        await self.generate(timeout_s=timeout_s, conversation=conversation, media_options=options)

    async def media_stub(self) -> media_service_pb2_grpc.MediaServiceStub:
        """Return what calls MediaService."""
        return media_service_pb2_grpc.MediaServiceStub(await self.channel())

    def _replace(self, **parts: Any) -> None:
        self.way.prompter = dataclasses.replace(self.way.prompter, **parts)
        self.way.generator = dataclasses.replace(self.way.generator, prompter=self.way.prompter)
        self.load()


def _preprocess(media: DecodedMedia) -> tuple[DecodedMedia, int]:
    return media, 0
