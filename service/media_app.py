"""The media half of the composition root: sources, store and workers, and their start and stop."""

from __future__ import annotations

import sys

from service.config import MediaConfig, MediaWorkerModel, media_worker_environment
from service.domain.model import ModelDescription
from service.media.budget import ByteBudget
from service.media.fetch.allowed_hosts import AllowedHosts
from service.media.fetch.download import FetchTimeouts
from service.media.fetch.fetcher import Fetcher
from service.media.fetch.network import Network
from service.media.prepared_cache import PreparedCache
from service.media.preparer import WorkerMediaPreparer
from service.media.session_media import SessionFileSource
from service.media.sources.resolver import SourceResolver
from service.media.sources.server_path import ServerPaths
from service.media.store.media_store import MediaStore
from service.structures import StructureChecker
from service.telemetry.logging import stage
from service.telemetry.metrics import MEDIA_WORKERS_ENDED, watch_media_bytes
from service.workers.pool import WorkerLimits, WorkerPool


class MediaApplication:
    """Everything that media need. Belongs to the event loop that starts it."""

    def __init__(self, config: MediaConfig) -> None:
        self._config = config
        self._budget = ByteBudget(config.in_flight_bytes)
        self._cache = PreparedCache(config.cache_bytes)
        self._resolver: SourceResolver | None = None
        self._workers: WorkerPool | None = None
        self.store: MediaStore | None = None
        watch_media_bytes("in_flight", lambda: self._budget.reserved_bytes)
        watch_media_bytes("prepared_cache", lambda: self._cache.size_bytes)

    async def open_sources(self) -> None:
        """Open roots and store; raises StartupError."""
        config = self._config
        if config.store is not None:
            self.store = await MediaStore.start(
                config.store,
                max_bytes=config.store_bytes,
                max_age_s=config.store_max_age_s,
                max_medium_bytes=config.limits.part_bytes,
            )
        self._resolver = SourceResolver(
            self._budget,
            fetcher=self._make_fetcher(),
            paths=ServerPaths(config.allowed_roots) if config.allowed_roots else None,
            store=self.store,
        )

    async def start_workers(self, model: str, engine_flags: tuple[str, ...]) -> None:
        """Load what workers need, which takes as long as importing vLLM; raises StartupError."""
        config = self._config
        limits = WorkerLimits(
            count=config.workers,
            set_aside=1,  # for structured outputs: texts do not wait for media
            memory_bytes=config.worker_memory_bytes,
            cpu_s=config.worker_cpu_s,
            wall_s=config.worker_wall_s,
        )
        self._workers = WorkerPool(
            [sys.executable, "-m", "service.media_worker"],
            MediaWorkerModel(model, engine_flags),
            limits,
            environment=media_worker_environment(),
            on_end=lambda end: MEDIA_WORKERS_ENDED.labels(end).inc(),
        )
        with stage(f"media workers ({config.workers})"):
            await self._workers.start()

    def build_preparer(self, model: ModelDescription) -> WorkerMediaPreparer:
        """Return what prepares media for the loaded model."""
        if self._resolver is None or self._workers is None:
            raise RuntimeError("sources and workers must be started first")
        return WorkerMediaPreparer(
            self._resolver,
            self._workers,
            self._cache,
            limits=self._config.limits,
            audio_rate_hz=model.audio_sample_rate_hz,
        )

    def structure_checker(self) -> StructureChecker:
        """Return what tries structured outputs, in the same workers."""
        if self._workers is None:
            raise RuntimeError("workers must be started first")
        return StructureChecker(self._workers)

    def session_media(self) -> SessionFileSource:
        """Return where sessions keep their media."""
        if self._resolver is None:
            raise RuntimeError("sources must be opened first")
        return SessionFileSource(self._resolver, self._budget, self._config.limits)

    async def stop(self) -> None:
        """End everything. Harmless when a start failed half-way."""
        if self._workers is not None:
            await self._workers.stop()
        if self._resolver is not None:
            await self._resolver.aclose()
        if self.store is not None:
            await self.store.close()

    def _make_fetcher(self) -> Fetcher | None:
        config = self._config
        if not config.allowed_hosts:
            return None
        timeouts = FetchTimeouts(config.fetch_first_byte_s, config.fetch_total_s)
        network = Network(AllowedHosts(config.allowed_hosts))
        return Fetcher(self._budget, network, timeouts=timeouts)
