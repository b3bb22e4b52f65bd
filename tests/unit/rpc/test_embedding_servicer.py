"""EmbeddingService over a channel, with fakes behind it."""

from __future__ import annotations

import dataclasses
from typing import Any

import grpc
import pytest

from service.domain.model import EmbeddingSize, Task
from service.rpc.embeddings import MAX_INPUTS
from service.rpc.server import RpcServer
from tests.end_to_end.requests import Refusal, ask, image, text
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_way import FakeWay
from triptych.v1 import (
    conversation_pb2,
    embedding_service_pb2_grpc,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
)
from triptych.v1 import embedding_service_pb2 as pb


@pytest.fixture
def engine(way: FakeWay) -> FakeEngine:
    """An engine that embeds, and its vectors may be cut to 2 numbers."""
    size = EmbeddingSize(4, can_be_shortened=True, shortened=(2,))
    way.engine.model = dataclasses.replace(way.engine.model, tasks=(Task.EMBED,), embedding=size)
    return way.engine


@pytest.fixture
def stub(
    engine: FakeEngine, open_server: RpcServer, channel: grpc.aio.Channel
) -> embedding_service_pb2_grpc.EmbeddingServiceStub:
    return embedding_service_pb2_grpc.EmbeddingServiceStub(channel)


def said(*parts: conversation_pb2.Part, role: int = conversation_pb2.ROLE_USER) -> pb.EmbedInput:
    message = conversation_pb2.Message(role=role, parts=parts)
    return pb.EmbedInput(conversation=conversation_pb2.Conversation(messages=[message]))


async def refusal(stub: Any, request: pb.EmbedRequest) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await stub.Embed(request)
    return Refusal(failure.value)


async def test_inputs_of_all_kinds_become_vectors(stub: Any, engine: FakeEngine) -> None:
    """Parts are named from the request on."""
    inputs = [
        pb.EmbedInput(text="abc"),
        pb.EmbedInput(token_ids=generation_service_pb2.TokenIds(ids=[1, 2])),
        said(text("hi"), image(b"xy")),
    ]
    found = await stub.Embed(pb.EmbedRequest(inputs=inputs, dimensions=2, normalize=False))

    assert found.model == "fake"
    assert found.request_id
    lengths = [len(ids) for ids, _ in engine.prompts]
    assert [list(one.values) for one in found.embeddings] == [
        [lengths[0], 3],
        [2, 3],
        [lengths[2] + 1, 3],
    ]
    assert [one.prompt_tokens for one in found.embeddings] == [lengths[0], 2, lengths[2] + 1]
    (part,) = found.embeddings[2].parts
    assert part.field == "inputs[2].conversation.messages[0].parts[1].image"
    assert part.tokens == 2
    assert found.usage.prompt_image_tokens == 2
    assert found.usage.prompt_tokens == sum(one.prompt_tokens for one in found.embeddings)


async def test_a_text_gets_what_the_tokenizer_puts_around_it_unless_told(
    stub: Any, engine: FakeEngine, way: FakeWay
) -> None:
    """It is no finished prompt, as that of an answer is."""
    options = generation_service_pb2.PromptOptions(add_special_tokens=False)
    asked: list[bool] = []
    encode = way.tokenizer.encode

    async def spy(words: str, *, add_special_tokens: bool = False, **rest: Any) -> list[int]:
        asked.append(add_special_tokens)
        return await encode(words, add_special_tokens=add_special_tokens, **rest)

    way.tokenizer.encode = spy
    await stub.Embed(pb.EmbedRequest(inputs=[pb.EmbedInput(text="a")]))
    await stub.Embed(pb.EmbedRequest(inputs=[pb.EmbedInput(text="a")], prompt_options=options))
    assert asked == [True, False]


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (pb.EmbedRequest(), ["inputs"]),
        (pb.EmbedRequest(inputs=[pb.EmbedInput(text="a")] * (MAX_INPUTS + 1)), ["inputs"]),
        (
            pb.EmbedRequest(
                inputs=[
                    pb.EmbedInput(),
                    pb.EmbedInput(text="a"),
                    pb.EmbedInput(text="", media=[text("no medium")]),
                    said(image(b"")),
                ],
                dimensions=0,
            ),
            [
                "dimensions",
                "inputs[0].prompt",
                "inputs[2].text",
                "inputs[2].media[0].text",
                "inputs[3].conversation.messages[0].parts[0].image",
            ],
        ),
        (
            pb.EmbedRequest(
                inputs=[pb.EmbedInput(text="a"), pb.EmbedInput(text="b"), said()],
                prompt_options=generation_service_pb2.PromptOptions(continue_final_message=True),
                media_options=media_pb2.MediaOptions(limits=media_pb2.MediaLimits(part_bytes=0)),
            ),
            [
                "prompt_options.continue_final_message",
                "media_options.limits.part_bytes",
                "inputs[2].conversation.messages[0].parts",
            ],
        ),
        (pb.EmbedRequest(inputs=[pb.EmbedInput(text="a")], dimensions=3), ["dimensions"]),
        (
            pb.EmbedRequest(inputs=[said(image(b"broken"))]),
            ["inputs[0].conversation.messages[0].parts[0].image"],
        ),
    ],
)
async def test_wrong_fields_are_told_all_at_once(
    stub: Any, request_: pb.EmbedRequest, fields: list[str]
) -> None:
    found = await refusal(stub, request_)

    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    assert found.fields == fields
    assert found.info.metadata["field"] == found.fields[0]


async def test_too_many_parts_in_all_are_refused(stub: Any) -> None:
    """Though each conversation has few."""
    one = said(*(text("a") for _ in range(100)))
    found = await refusal(stub, pb.EmbedRequest(inputs=[one] * 600))
    assert found.fields == ["inputs"]


async def test_a_model_that_answers_gives_no_vectors(
    open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    stub = embedding_service_pb2_grpc.EmbeddingServiceStub(channel)
    found = await refusal(stub, pb.EmbedRequest(inputs=[pb.EmbedInput(text="a")]))

    assert found.code is grpc.StatusCode.FAILED_PRECONDITION
    assert found.info.reason == "TASK_UNSUPPORTED"
    assert (found.info.metadata["task"], found.info.metadata["tasks"]) == ("embed", "generate")


async def test_a_model_that_embeds_gives_no_answers(stub: Any, channel: grpc.aio.Channel) -> None:
    generation = generation_service_pb2_grpc.GenerationServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await anext(aiter(generation.Generate(ask(text("hi")))))

    found = Refusal(failure.value)
    assert (found.code, found.info.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "TASK_UNSUPPORTED",
    )


async def test_models_tell_what_they_do(stub: Any, channel: grpc.aio.Channel) -> None:
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    model = (await models.GetModel(model_service_pb2.GetModelRequest())).model

    assert list(model.tasks) == [model_service_pb2.TASK_EMBED]
    assert model.embedding == model_service_pb2.EmbeddingSize(
        dimensions=4, can_be_shortened=True, shortened_dimensions=[2]
    )


async def test_a_model_that_answers_tells_no_size_of_vectors(
    open_server: RpcServer, channel: grpc.aio.Channel
) -> None:
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    model = (await models.GetModel(model_service_pb2.GetModelRequest())).model

    assert list(model.tasks) == [model_service_pb2.TASK_GENERATE]
    assert not model.HasField("embedding")
