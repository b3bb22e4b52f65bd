"""GenerationService: the main door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, aclosing
from typing import Any

from service.domain.model import Task
from service.errors import InvalidRequestError
from service.rpc.caller import caller_of
from service.rpc.deadlines import with_deadline
from service.rpc.requests import to_generation_request, to_opening
from service.rpc.responses import from_event, join
from service.rpc.serving import Serving
from service.rpc.sessions import take_messages
from service.sessions.dialogue import Dialogue
from service.sessions.session import Session
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
        model = self._serving.model_for(Task.GENERATE, request.model)
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
        """Answer turn by turn, while the client's messages are read beside it."""
        self._serving.check_open()
        session = Session(self._serving.session_limits)
        caller = caller_of(context, self._caller_header)
        with self._serving.session_places.taken(caller), ExitStack() as opened:
            opened.enter_context(self._serving.told_of_close(session.drain))

            def open_dialogue(config: pb.GenerateRequest) -> Dialogue:
                dialogue = self._open_dialogue(config, context)
                opened.callback(dialogue.media.close)
                return dialogue

            reading = asyncio.create_task(take_messages(request_iterator, session, open_dialogue))
            try:
                async with aclosing(session.answers()) as answers:
                    async for turn_index, event in answers:
                        yield pb.ConverseResponse(turn_index=turn_index, event=from_event(event))
            finally:
                reading.cancel()
                await asyncio.wait((reading,))

    def _open_dialogue(self, config: pb.GenerateRequest, context: Any) -> Dialogue:
        model = self._serving.model_for(Task.GENERATE, config.model)
        opening = to_opening(config, caller_of(context, self._caller_header))
        opening = with_deadline(opening, config.output_options, context)
        media = model.session_media.open(opening.caller, opening.media_limits)
        return Dialogue(opening, model.generator.generate, media)
