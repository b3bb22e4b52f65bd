"""EmbeddingService: prompts to vectors."""

from __future__ import annotations

from typing import Any

from service.domain.model import Task
from service.rpc.caller import caller_of
from service.rpc.embeddings import from_embeddings, to_embedding_request
from service.rpc.serving import Serving
from triptych.v1 import embedding_service_pb2 as pb
from triptych.v1 import embedding_service_pb2_grpc as pb_grpc


class EmbeddingServicer(pb_grpc.EmbeddingServiceServicer):
    """Embeds with whatever `serving` holds; errors are turned by the interceptor."""

    def __init__(self, serving: Serving, caller_header: str | None = None) -> None:
        self._serving = serving
        self._caller_header = caller_header

    async def Embed(  # noqa: N802 - the contract's name
        self, request: pb.EmbedRequest, context: Any
    ) -> pb.EmbedResponse:
        """Make one vector of each input."""
        model = self._serving.model_for(Task.EMBED, request.model)
        caller = caller_of(context, self._caller_header)
        found = await model.embedder.embed(await to_embedding_request(request, caller))
        return await from_embeddings(found)
