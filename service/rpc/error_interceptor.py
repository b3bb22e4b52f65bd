"""Turns every exception of a servicer into a status; no servicer aborts a call itself."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, NoReturn

import grpc
from grpc_status import rpc_status

from service.errors import TriptychError
from service.rpc.answer_writer import AnswerWriter
from service.rpc.calls import RunningCalls
from service.rpc.status import grpc_code, status_for, status_for_defect
from service.telemetry.logging import logger


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Wraps and counts all handlers but those of other packages (health, reflection)."""

    def __init__(self, running: RunningCalls, reader_timeout_s: float) -> None:
        """`reader_timeout_s` is how long a write may wait for a client that does not read."""
        self._running = running
        self._reader_timeout_s = reader_timeout_s

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler, wrapped."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith("/triptych."):
            return handler
        if handler.response_streaming:
            return _streaming(handler, self._running, self._reader_timeout_s)
        return _unary(handler, self._running)


def _unary(handler: Any, running: RunningCalls) -> grpc.RpcMethodHandler[Any, Any]:
    behaviour = handler.stream_unary if handler.request_streaming else handler.unary_unary

    async def wrapped(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        with running.one():
            try:
                return await behaviour(request, context)
            except Exception as exc:  # noqa: BLE001 - whatever it is becomes a status
                await _abort(context, exc)

    make = (
        grpc.stream_unary_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    return make(wrapped, handler.request_deserializer, handler.response_serializer)


def _streaming(
    handler: Any, running: RunningCalls, reader_timeout_s: float
) -> grpc.RpcMethodHandler[Any, Any]:
    behaviour = handler.stream_stream if handler.request_streaming else handler.unary_stream

    # Writes instead of yielding: so a cancelled call ends here, and closes the servicer's
    # stream (and with it the engine's work) at once, not when the garbage is collected.
    async def wrapped(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        with running.one():
            try:
                async with aclosing(behaviour(request, context)) as responses:
                    await AnswerWriter(context, reader_timeout_s).write_all(responses)
            except Exception as exc:  # noqa: BLE001 - whatever it is becomes a status
                # The status waits for the reader too, behind what was written. It is gRPC's by
                # then, and waits without us. The client may also go away meanwhile.
                with suppress(TimeoutError, grpc.aio.InternalError):
                    async with asyncio.timeout(reader_timeout_s):
                        await _abort(context, exc)

    make = (
        grpc.stream_stream_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_stream_rpc_method_handler
    )
    return make(wrapped, handler.request_deserializer, handler.response_serializer)


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: Exception) -> NoReturn:
    if isinstance(error, TriptychError):
        status = status_for(error)
        logger.info("refused: %s", error.message)
    else:
        request_id = uuid.uuid4().hex
        logger.error("request %s failed", request_id, exc_info=error)
        status = status_for_defect(request_id)
    context.set_trailing_metadata(rpc_status.to_status(status).trailing_metadata)
    await context.abort(grpc_code(status), status.message)
