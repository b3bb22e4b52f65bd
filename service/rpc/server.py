"""The gRPC server: servicers, interceptor, health and reflection, listening and draining."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from service.errors import StartupError
from service.ports import MediaStore
from service.rpc.calls import RunningCalls
from service.rpc.embedding_servicer import EmbeddingServicer
from service.rpc.error_interceptor import ErrorInterceptor
from service.rpc.generation_servicer import GenerationServicer
from service.rpc.media_servicer import MediaServicer
from service.rpc.model_servicer import ModelServicer
from service.rpc.reflection import add_reflection
from service.rpc.serving import Serving
from service.rpc.tokenizer_servicer import TokenizerServicer
from service.telemetry.logging import logger
from triptych.v1 import (
    embedding_service_pb2,
    embedding_service_pb2_grpc,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_service_pb2,
    media_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    tokenizer_service_pb2,
    tokenizer_service_pb2_grpc,
)

_OUR_SERVICES = tuple(
    service.full_name
    for module in (
        embedding_service_pb2,
        generation_service_pb2,
        media_service_pb2,
        model_service_pb2,
        tokenizer_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)
# Long enough to flush what was written; health watchers, who never leave, wait no longer.
_FLUSH_S = 0.5


class RpcServer:
    """A gRPC server around `serving`. Belongs to the event loop that makes it."""

    def __init__(self, server: grpc.aio.Server, running: RunningCalls, address: str) -> None:
        self._server = server
        self._running = running
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self.address = address

    async def start(self) -> None:
        """Accept calls; health says NOT_SERVING."""
        await self.set_serving(serving=False)
        await self._server.start()

    async def set_serving(self, *, serving: bool) -> None:
        """Tell health, for the whole server and for each service."""
        statuses = health_pb2.HealthCheckResponse
        status = statuses.SERVING if serving else statuses.NOT_SERVING
        for service in ("", *_OUR_SERVICES):
            await self._health.set(service, status)

    async def stop(self, grace_s: float) -> None:
        """Turn NOT_SERVING, let running calls finish within the grace time, cancel the rest."""
        await self._health.enter_graceful_shutdown()
        unfinished = await self._running.wait_until_none(grace_s)
        if unfinished:
            logger.warning("cancelling %d calls that outlived the grace time", unfinished)
        await self._server.stop(_FLUSH_S)


def build_server(  # noqa: PLR0913 - one for each part of it that has settings; callers name them
    listen: str,
    serving: Serving,
    *,
    max_message_bytes: int,
    reader_timeout_s: float = 60.0,
    media_store: MediaStore | None = None,
    caller_header: str | None = None,
) -> RpcServer:
    """Bind `listen` (host:port or unix:PATH); raises StartupError when it is taken.

    A client that does not read its answer for `reader_timeout_s` loses it. `caller_header` names
    the metadata that tells who calls, see service/rpc/caller.py.
    """
    running = RunningCalls()
    server = grpc.aio.server(
        interceptors=[ErrorInterceptor(running, reader_timeout_s)],
        options=[
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", -1),
            # Without this a second server would share the port, and the calls, silently.
            ("grpc.so_reuseport", 0),
        ],
    )
    generation_service_pb2_grpc.add_GenerationServiceServicer_to_server(
        GenerationServicer(serving, caller_header), server
    )
    embedding_service_pb2_grpc.add_EmbeddingServiceServicer_to_server(
        EmbeddingServicer(serving, caller_header), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(serving), server)
    tokenizer_service_pb2_grpc.add_TokenizerServiceServicer_to_server(
        TokenizerServicer(serving, caller_header), server
    )
    media_service_pb2_grpc.add_MediaServiceServicer_to_server(
        MediaServicer(serving, media_store, caller_header), server
    )
    add_reflection(server, (*_OUR_SERVICES, health.SERVICE_NAME))
    return RpcServer(server, running, _bind(server, listen))


def _bind(server: grpc.aio.Server, listen: str) -> str:
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        port = 0
    if not port:
        raise StartupError(
            f"cannot listen on {listen}: the address is in use or malformed; "
            "choose another with --listen host:port (port 0: any free one)"
        )
    if listen.startswith("unix:"):
        return listen
    return f"{listen.rpartition(':')[0]}:{port}"
