"""Vectors of texts and media. Both clients use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from triptych.v1 import embedding_service_pb2
from triptych_client._prompt import Audio, Image, Message, RawText, TokenIds, Video
from triptych_client._requests import build_generate_request
from triptych_client._results import PartUsage, Usage, usage_from_proto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triptych.v1 import generation_service_pb2
    from triptych_client._options import GenerateOptions
    from triptych_client._prompt import Prompt

_SINGLE = (str, Image, Audio, Video, Message, RawText, TokenIds)


@dataclass(frozen=True, slots=True)
class Embedding:
    """The vector of one input, and the size of its prompt."""

    values: tuple[float, ...]
    prompt_tokens: int
    parts: tuple[PartUsage, ...]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of all inputs, in their order."""

    embeddings: tuple[Embedding, ...]
    model: str
    usage: Usage
    request_id: str


def build_embed_request(
    inputs: Sequence[Prompt],
    dimensions: int | None,
    normalize: bool | None,  # noqa: FBT001 - the contract's field
    options: GenerateOptions,
) -> embedding_service_pb2.EmbedRequest:
    """Return the request; a text alone is what the model reads, not a message of a user."""
    if isinstance(inputs, _SINGLE):
        message = f"inputs is a list; write [{type(inputs).__name__}(...)]"
        raise TypeError(message)
    prompts = [
        build_generate_request(RawText(one) if isinstance(one, str) else one, options)
        for one in inputs
    ]
    request = embedding_service_pb2.EmbedRequest(
        model=options.get("model") or "",
        inputs=[_input_of(prompt) for prompt in prompts],
        dimensions=dimensions,
        normalize=normalize,
    )
    if prompts and prompts[0].HasField("prompt_options"):
        request.prompt_options.CopyFrom(prompts[0].prompt_options)
    return request


def _input_of(prompt: generation_service_pb2.GenerateRequest) -> embedding_service_pb2.EmbedInput:
    one = embedding_service_pb2.EmbedInput(media=prompt.media)
    kind = prompt.WhichOneof("prompt")
    if kind == "text":
        one.text = prompt.text
    elif kind is not None:
        getattr(one, kind).CopyFrom(getattr(prompt, kind))
    return one


def embeddings_from_proto(response: embedding_service_pb2.EmbedResponse) -> Embeddings:
    """Return the vectors."""
    return Embeddings(
        embeddings=tuple(
            Embedding(
                tuple(one.values),
                one.prompt_tokens,
                tuple(PartUsage(part.field, part.tokens) for part in one.parts),
            )
            for one in response.embeddings
        ),
        model=response.model,
        usage=usage_from_proto(response.usage),
        request_id=response.request_id,
    )
