"""GenerationService: the main door."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from service.errors import InvalidRequestError, NotServedYetError
from service.rpc.caller import caller_of
from service.rpc.deadlines import with_deadline
from service.rpc.requests import to_generation_request
from service.rpc.responses import from_event, join
from service.rpc.serving import Serving
from triptych.v1 import generation_service_pb2 as pb
from triptych.v1 import generation_service_pb2_grpc as pb_grpc


class GenerationServicer(pb_grpc.GenerationServiceServicer):
    """Answers prompts with whatever `serving` holds; errors are turned by the interceptor."""

    def __init__(self, serving: Serving, caller_header: str | None = None) -> None:
        self._serving = serving
        self._caller_header = caller_header

    async def Generate(  # noqa: N802 - the contract's name
        self, request: pb.GenerateRequest, context: Any
    ) -> AsyncGenerator[pb.GenerateResponse, None]:
        """Stream the answer."""
        model = self._serving.model(request.model)
        caller = caller_of(context, self._caller_header)
        asked = to_generation_request(request, caller)
        events = model.generator.generate(with_deadline(asked, request.output_options, context))
        async with aclosing(events):
            async for event in events:
                yield from_event(event)

    async def GenerateUnary(  # noqa: N802 - the contract's name
        self, request: pb.GenerateUnaryRequest, context: Any
    ) -> pb.GenerateUnaryResponse:
        """Collect the stream into one answer."""
        if not request.HasField("request"):
            raise InvalidRequestError("request", "is not set; put a GenerateRequest there")
        async with aclosing(self.Generate(request.request, context)) as events:
            return join([event async for event in events])

    async def Converse(  # noqa: N802 - the contract's name
        self, request_iterator: AsyncIterator[pb.ConverseRequest], context: Any
    ) -> AsyncGenerator[pb.ConverseResponse, None]:
        """Refuse: sessions come with a later version."""
        raise NotServedYetError(
            "Converse: this server version has no sessions yet; "
            "use Generate with the whole conversation",
            method="triptych.v1.GenerationService/Converse",
        )
        yield  # makes this a stream, as the contract says
