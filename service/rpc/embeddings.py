"""Turns embedding requests into domain objects, and vectors into the contract's messages.

An input is what a `GenerateRequest` has for a prompt, so it is converted as one: what is right and
wrong with a prompt is written down once.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from service.domain.embedding import Embedding, EmbeddingOptions, EmbeddingRequest, Embeddings
from service.embedder import field_of_input
from service.errors import InvalidRequestError
from service.rpc.requests import to_generation_request
from service.rpc.responses import from_usage, to_part_usages
from service.rpc.violations import Violations
from triptych.v1 import embedding_service_pb2 as pb
from triptych.v1 import generation_service_pb2

if TYPE_CHECKING:
    from service.domain.events import GenerationRequest

MAX_INPUTS = 1024
# As many as one conversation may have, for the same reason (service/rpc/conversations.py).
_MAX_PARTS = 50_000


async def to_embedding_request(message: pb.EmbedRequest, caller: str = "") -> EmbeddingRequest:
    """Convert and check; raises InvalidRequestError with all wrong fields."""
    _check_size(message)
    violations = Violations()
    violations.check_range("dimensions", _dimensions(message), 1)
    inputs: list[GenerationRequest] = []
    for index, one in enumerate(message.inputs):
        try:
            inputs.append(to_generation_request(_as_prompt(message, one), caller))
        except InvalidRequestError as error:
            violations.add_all(error.renamed(partial(field_of_input, index)))
        await asyncio.sleep(0)  # the loop belongs to all streams
    violations.raise_if_any()
    options = EmbeddingOptions(
        _dimensions(message), message.normalize if message.HasField("normalize") else None
    )
    return EmbeddingRequest(message.model, tuple(inputs), options)


def _check_size(message: pb.EmbedRequest) -> None:
    if not 1 <= len(message.inputs) <= MAX_INPUTS:
        raise InvalidRequestError(
            "inputs", f"must be between 1 and {MAX_INPUTS}, got {len(message.inputs)}"
        )
    parts = sum(len(turn.parts) + 1 for one in message.inputs for turn in one.conversation.messages)
    if parts > _MAX_PARTS:
        raise InvalidRequestError(
            "inputs", f"must have at most {_MAX_PARTS} messages, and parts in them, together"
        )


def _as_prompt(
    message: pb.EmbedRequest, one: pb.EmbedInput
) -> generation_service_pb2.GenerateRequest:
    """Return what asks for an answer to the input, with the defaults that embedding has."""
    request = generation_service_pb2.GenerateRequest(
        model=message.model,
        media=one.media,
        prompt_options=message.prompt_options,
        media_options=message.media_options,
    )
    options = request.prompt_options
    if not options.HasField("add_special_tokens"):
        options.add_special_tokens = True
    if not options.HasField("add_generation_prompt"):
        options.add_generation_prompt = False
    match one.WhichOneof("prompt"):
        case "conversation":
            request.conversation.CopyFrom(one.conversation)
        case "text":
            request.text = one.text
        case "token_ids":
            request.token_ids.CopyFrom(one.token_ids)
    return request


def _dimensions(message: pb.EmbedRequest) -> int | None:
    return message.dimensions if message.HasField("dimensions") else None


async def from_embeddings(found: Embeddings) -> pb.EmbedResponse:
    """Convert, with a pause for others after each vector."""
    response = pb.EmbedResponse(
        request_id=found.request_id, model=found.model, usage=from_usage(found.usage)
    )
    for index, vector in enumerate(found.vectors):
        response.embeddings.append(_from_embedding(vector, index))
        await asyncio.sleep(0)
    return response


def _from_embedding(vector: Embedding, index: int) -> pb.Embedding:
    parts = to_part_usages(vector.placeholders)
    for part in parts:
        part.field = f"inputs[{index}].{part.field}"
    return pb.Embedding(values=vector.values, prompt_tokens=vector.prompt_tokens, parts=parts)
