"""The composition root: builds everything, and owns the order of start and stop.

Start: the port opens at once with health NOT_SERVING, then sidecar and engine load side by side,
then SERVING. Stop: NOT_SERVING, streams finish within the grace time, then engine and sidecar
end. When the engine dies the server turns NOT_SERVING and stops with exit code 1, so that a
supervisor can start it anew; the sidecar is restarted without stopping.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from service.admission import Admission, AdmissionLimits
from service.config import ServerConfig
from service.embedder import Embedder
from service.errors import StartupError
from service.generator import Generator
from service.media_app import MediaApplication
from service.prober import Prober
from service.prompt.paced_renderer import PacedRenderer
from service.prompt.renderer import check_choice, choose_renderer
from service.prompt_visits import PromptVisits
from service.prompter import Prompter
from service.rpc.server import RpcServer, build_server
from service.rpc.serving import LoadedModel, Serving
from service.telemetry.logging import logger, stage
from service.telemetry.metrics import serve_metrics, watch_engine_requests, watch_tasks
from service.tokenizer.sidecar_client import SidecarClient
from service.tokenizer.sidecar_process import SidecarProcess

if TYPE_CHECKING:
    from service.engine.vllm_engine import VllmEngine


class Application:
    """One server with its engine and its sidecar. Belongs to the event loop that starts it."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._serving = Serving(config.sessions)
        self._server: RpcServer | None = None
        self._sidecar: SidecarProcess | None = None
        self._tokenizer: SidecarClient | None = None
        self._media = MediaApplication(config.media)
        self._admission: Admission | None = None
        self._stop_metrics: Callable[[], None] = lambda: None
        self.engine: VllmEngine | None = None

    @property
    def address(self) -> str:
        """Where the server listens, with the real port; valid after `start` began."""
        if self._server is None:
            raise StartupError("the server has not been started")
        return self._server.address

    @property
    def sidecar_pid(self) -> int | None:
        """The process id of the tokenizer sidecar, while one runs."""
        return self._sidecar.pid if self._sidecar else None

    async def start(self) -> None:
        """Open the port, load everything, then turn SERVING; raises StartupError."""
        # Before the engine loads, which takes minutes.
        check_choice(self._config.chat_template, self._config.prompt_format)
        if self._config.metrics_listen is not None:
            loop = asyncio.get_running_loop()
            watch_tasks(lambda: len(asyncio.all_tasks(loop)))
            self._stop_metrics = serve_metrics(self._config.metrics_listen)
        await self._media.open_sources()
        self._server = build_server(
            self._config.listen,
            self._serving,
            max_message_bytes=self._config.max_message_bytes,
            reader_timeout_s=self._config.requests.reader_timeout_s,
            media_store=self._media.store,
            caller_header=self._config.media.caller_header,
        )
        await self._server.start()
        logger.info("listening on %s (health: NOT_SERVING until the model is loaded)", self.address)
        try:
            async with asyncio.TaskGroup() as group:
                engine = group.create_task(self._start_engine())
                group.create_task(self._start_tokenizer(engine))
                group.create_task(
                    self._media.start_workers(self._config.model, self._config.engine_flags)
                )
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        model = await self._build_model()
        # What was loaded stays. To look through it again and again would hold all streams up for
        # a tenth of a second each time.
        gc.collect()
        gc.freeze()
        self._serving.open(model)
        await self._server.set_serving(serving=True)
        logger.info("serving model %r on %s", model.description.name, self.address)

    async def run_until(self, stop: asyncio.Event) -> int:
        """Serve until `stop` is set or the engine dies; return the exit code."""
        if self.engine is None or self._server is None:
            raise StartupError("the server has not been started")
        stopping = asyncio.create_task(stop.wait())
        died = asyncio.create_task(self.engine.wait_until_dead())
        await asyncio.wait((stopping, died), return_when=asyncio.FIRST_COMPLETED)
        if died.done():
            logger.error("the engine died; stopping")
        for task in (stopping, died):
            task.cancel()
        return 1 if died.done() and not stop.is_set() else 0

    async def stop(self) -> None:
        """Drain, then end everything. Harmless when `start` failed half-way."""
        self._serving.close()
        if self._admission is not None:
            self._admission.close()
        if self._server is not None:
            logger.info("stopping; streams may finish within %g s", self._config.grace_s)
            await self._server.stop(self._config.grace_s)
        if self.engine is not None:
            await asyncio.to_thread(self.engine.stop)
        await self._media.stop()
        if self._tokenizer is not None:
            await self._tokenizer.close()
        if self._sidecar is not None:
            await self._sidecar.stop()
        self._stop_metrics()
        logger.info("stopped")

    async def _start_tokenizer(self, engine: asyncio.Task[VllmEngine]) -> None:
        file = _only_tokenizer_file(self._config.model)
        if file is None:
            loaded = await asyncio.shield(engine)
            file = Path(loaded.model.directory) / loaded.tokenizer_file
        with stage("tokenizer sidecar"):
            self._sidecar = SidecarProcess(self._config.sidecar_binary, file)
            await self._sidecar.start()
            self._tokenizer = SidecarClient(
                self._sidecar.address, local_socket=self._sidecar.local_socket
            )

    async def _start_engine(self) -> VllmEngine:
        with stage(f"engine: loading {self._config.model}"):
            # Imported in the thread that loads: it takes seconds, and the port is open already.
            self.engine = await asyncio.to_thread(
                _load_engine, self._config, asyncio.get_running_loop()
            )
        return self.engine

    def _build_admission(self, engine: VllmEngine) -> Admission:
        watch_engine_requests(lambda: engine.unfinished_requests)
        requests, model = self._config.requests, engine.model
        limits = AdmissionLimits.of_engine(
            engine.max_sequences, model.kv_cache_tokens, requests.max_waiting_requests
        )
        if requests.max_running_requests is not None:
            limits = dataclasses.replace(limits, max_running=requests.max_running_requests)
        if requests.max_waiting_tokens is not None:
            limits = dataclasses.replace(limits, max_waiting_tokens=requests.max_waiting_tokens)
        return Admission(limits)

    async def _build_model(self) -> LoadedModel:
        if self.engine is None or self._tokenizer is None:
            raise StartupError("engine and tokenizer must be started first")
        model = self.engine.model
        self._admission = self._build_admission(self.engine)
        preparer = self._media.build_preparer(model)
        renderer = PacedRenderer(
            choose_renderer(
                Path(model.directory),
                model_type=model.model_type,
                architecture=model.architecture,
                template_file=self._config.chat_template,
                format_name=self._config.prompt_format,
                placeholder_strings=model.placeholder_strings,
            )
        )
        logger.info(
            "prompt format: %s (%s)", renderer.prompt_format.name, renderer.prompt_format.reason
        )
        prompter = Prompter(self.engine, self._tokenizer, preparer, renderer)
        return LoadedModel(
            description=model,
            prompt_format=renderer.prompt_format,
            generator=Generator(
                self.engine,
                self._tokenizer,
                prompter,
                self._admission,
                self._media.structure_checker(),
                self.engine.load_parsers(self._config.tool_call_parser),
                deadline_margin_s=self._config.requests.deadline_margin_s,
            ),
            embedder=Embedder(self.engine, prompter, self._admission),
            prober=Prober(prompter, preparer),
            prompter=PromptVisits(
                prompter, self._admission, self._config.requests.deadline_margin_s
            ),
            tokenizer=self._tokenizer,
            placeholders=renderer.places.placeholders,
            session_media=self._media.session_media(),
        )


def _only_tokenizer_file(model: str) -> Path | None:
    """Return a checkpoint's tokenizer.json; None where the engine knows what is taken.

    The files of a name on the hub are found, or fetched, by the engine; and where there is a
    tokenizer in Mistral's own format too, it depends on the flags which one counts.
    """
    directory = Path(model)
    if not directory.is_dir() or (directory / "tekken.json").is_file():
        return None
    return directory / "tokenizer.json"


def run_server(config: ServerConfig) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    return asyncio.run(_run(config))


async def _run(config: ServerConfig) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    application = Application(config)
    starting = asyncio.create_task(application.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            # vLLM cannot be interrupted while it loads; the signal is obeyed right after.
            logger.info("stopping as soon as the model is loaded")
        await starting
        return await application.run_until(stop)
    except StartupError as exc:
        logger.error("%s", exc)
        return 1
    finally:
        stopping.cancel()
        await application.stop()


def _load_engine(config: ServerConfig, loop: asyncio.AbstractEventLoop) -> VllmEngine:
    from service.engine.adapters import enable_adapters
    from service.engine.engine_args import parse_engine_args
    from service.engine.vllm_engine import VllmEngine

    args = parse_engine_args(config.model, config.engine_flags)
    args.use_tqdm_on_load = config.log_level == "debug"
    if config.tool_call_parser or args.reasoning_parser:
        from service.engine.output_parsers import check_parsers

        check_parsers(args, config.tool_call_parser, config.tool_parser_plugin)
    enable_adapters(args, config.adapters)
    return VllmEngine.start(args, config.served_model_name, loop, config.adapters)
