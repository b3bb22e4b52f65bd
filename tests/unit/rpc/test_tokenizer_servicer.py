"""TokenizerService over a real socket, with fakes behind it."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from service.domain.conversation import Modality
from service.rpc.server import RpcServer
from tests.fakes.fake_renderer import MEDIUM_MARKS
from tests.fakes.fake_way import FakeWay
from triptych.v1 import (
    conversation_pb2,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
)
from triptych.v1 import tokenizer_service_pb2 as pb
from triptych.v1 import tokenizer_service_pb2_grpc as pb_grpc

IMAGE = MEDIUM_MARKS[Modality.IMAGE]
IMAGE_ID = 297
PICTURE = conversation_pb2.Part(
    image=media_pb2.ImagePart(source=media_pb2.MediaSource(data=b"pixels"))
)


@pytest.fixture
def tokens(open_server: RpcServer, channel: grpc.aio.Channel) -> pb_grpc.TokenizerServiceStub:
    return pb_grpc.TokenizerServiceStub(channel)


def say(*parts: conversation_pb2.Part) -> generation_service_pb2.GenerateRequest:
    message = conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)
    return generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=[message])
    )


def text(words: str) -> conversation_pb2.Part:
    return conversation_pb2.Part(text=words)


async def refusal_of(call: grpc.aio.UnaryUnaryCall) -> tuple[grpc.StatusCode, str, str]:
    """Return code, reason and field."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(refusal.value)
    assert any(detail.Unpack(info) for detail in status.details)
    return refusal.value.code(), info.reason, info.metadata.get("field", "")


async def test_tokens_have_their_bytes_and_their_place(
    tokens: pb_grpc.TokenizerServiceStub,
) -> None:
    """Half a character too; a control token that was typed is characters."""
    found = (await tokens.Tokenize(pb.TokenizeRequest(text="é<|256|>"))).tokens
    assert [(one.id, one.piece, one.start_byte, one.end_byte) for one in found[:3]] == [
        (0xC3, b"\xc3", 0, 1),
        (0xA9, b"\xa9", 1, 2),
        (ord("<"), b"<", 2, 3),
    ]
    assert b"".join(one.piece for one in found).decode() == "é<|256|>"


async def test_control_tokens_are_obeyed_when_the_caller_asks(
    tokens: pb_grpc.TokenizerServiceStub,
) -> None:
    """An added one has a text, and no place in the caller's."""
    request = pb.TokenizeRequest(
        text=f"a{IMAGE}", trust_special_tokens=True, add_special_tokens=True
    )
    found = (await tokens.Tokenize(request)).tokens
    assert [(one.id, one.piece, one.start_byte, one.end_byte) for one in found] == [
        (256, b"<|256|>", 0, 0),
        (ord("a"), b"a", 0, 1),
        (IMAGE_ID, IMAGE.encode(), 1, 1 + len(IMAGE)),
    ]


async def test_no_text_has_no_tokens(tokens: pb_grpc.TokenizerServiceStub) -> None:
    assert not (await tokens.Tokenize(pb.TokenizeRequest())).tokens
    added = await tokens.Tokenize(pb.TokenizeRequest(add_special_tokens=True))
    assert [one.id for one in added.tokens] == [256]
    assert (await tokens.Detokenize(pb.DetokenizeRequest())).text == ""


async def test_a_text_above_its_limit_is_refused(tokens: pb_grpc.TokenizerServiceStub) -> None:
    """Each token is a message of the answer; a long text would have hundreds of thousands."""
    call = tokens.Tokenize(pb.TokenizeRequest(text="é" * (128 << 10) + "x"))
    assert await refusal_of(call) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "LIMIT_EXCEEDED",
        "text",
    )


async def test_a_long_text_has_all_its_tokens(tokens: pb_grpc.TokenizerServiceStub) -> None:
    """They are made in many turns of the event loop."""
    words = "".join(chr(ord("a") + index % 26) for index in range(2222))
    found = (await tokens.Tokenize(pb.TokenizeRequest(text=words))).tokens
    assert b"".join(one.piece for one in found) == words.encode()
    assert [one.start_byte for one in found] == list(range(2222))


async def test_ids_become_text_without_control_tokens(
    tokens: pb_grpc.TokenizerServiceStub,
) -> None:
    request = pb.DetokenizeRequest(token_ids=[*b"hi", IMAGE_ID])
    assert (await tokens.Detokenize(request)).text == "hi"
    request.skip_special_tokens = False
    assert (await tokens.Detokenize(request)).text == f"hi{IMAGE}"


async def test_an_id_that_is_no_token_is_named(tokens: pb_grpc.TokenizerServiceStub) -> None:
    call = tokens.Detokenize(pb.DetokenizeRequest(token_ids=[1, 5000]))
    assert await refusal_of(call) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        "token_ids[1]",
    )


@pytest.mark.parametrize(
    "request_",
    [
        say(text("What?"), PICTURE),
        generation_service_pb2.GenerateRequest(text="What?", media=[PICTURE]),
        generation_service_pb2.GenerateRequest(
            token_ids=generation_service_pb2.TokenIds(ids=[IMAGE_ID]), media=[PICTURE]
        ),
    ],
    ids=["conversation", "text", "token ids"],
)
async def test_a_count_and_a_look_tell_what_the_answer_would(
    tokens: pb_grpc.TokenizerServiceStub,
    channel: grpc.aio.Channel,
    request_: generation_service_pb2.GenerateRequest,
) -> None:
    stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
    started = (await stub.Generate(request_).read()).started
    counted = await tokens.CountTokens(pb.CountTokensRequest(request=request_))
    shown = await tokens.RenderPrompt(pb.RenderPromptRequest(request=request_))
    assert started.parts[0].tokens == 2
    assert counted == pb.CountTokensResponse(
        prompt_tokens=started.prompt_tokens, parts=started.parts
    )
    assert len(shown.token_ids) == started.prompt_tokens
    assert [(one.field, one.length) for one in shown.placeholders] == [
        (one.field, one.tokens) for one in started.parts
    ]


async def test_a_look_at_a_prompt_has_everything(tokens: pb_grpc.TokenizerServiceStub) -> None:
    request = pb.RenderPromptRequest(request=say(text("é"), PICTURE))
    shown = await tokens.RenderPrompt(request)
    assert MessageToDict(shown, preserving_proto_field_name=True) == {
        "text": f"user:é{IMAGE}",
        "token_ids": [*"user:é".encode(), IMAGE_ID, IMAGE_ID],
        "placeholders": [
            {
                "field": "conversation.messages[0].parts[1].image",
                "offset": 7,
                "length": 2,
                "text_span": {"start_byte": 7, "end_byte": 16},
            }
        ],
        "literal_spans": [{"start_byte": 5, "end_byte": 7}],
        "limits": [
            {"name": "max_model_tokens", "limit": 63, "actual": 9},
            {"name": "image_parts", "limit": 2, "actual": 1},
            {"name": "audio_parts", "limit": 1},
        ],
        "prompt_format": "fake",
    }


async def test_a_prompt_that_is_too_long_is_shown(tokens: pb_grpc.TokenizerServiceStub) -> None:
    request = pb.RenderPromptRequest(request=say(text("x" * 100), PICTURE, PICTURE, PICTURE))
    shown = await tokens.RenderPrompt(request)
    assert [one.name for one in shown.limits if one.actual > one.limit] == [
        "max_model_tokens",
        "image_parts",
    ]


async def test_wrong_fields_are_named_inside_the_request(
    tokens: pb_grpc.TokenizerServiceStub,
) -> None:
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    broken = conversation_pb2.Part(
        image=media_pb2.ImagePart(source=media_pb2.MediaSource(data=b"broken"))
    )
    shown = tokens.RenderPrompt(pb.RenderPromptRequest(request=say(broken)))
    field = "conversation.messages[0].parts[0].image"
    assert await refusal_of(shown) == (invalid, "MEDIA_UNDECODABLE", field)
    for call in (
        tokens.CountTokens(pb.CountTokensRequest()),
        tokens.RenderPrompt(pb.RenderPromptRequest()),
    ):
        assert await refusal_of(call) == (invalid, "INVALID_FIELD", "request")
    empty = generation_service_pb2.GenerateRequest()
    counted = tokens.CountTokens(pb.CountTokensRequest(request=empty))
    assert await refusal_of(counted) == (invalid, "INVALID_FIELD", "prompt")


async def test_an_unknown_model_is_not_found(tokens: pb_grpc.TokenizerServiceStub) -> None:
    other = generation_service_pb2.GenerateRequest(model="other", text="hi")
    for call in (
        tokens.Tokenize(pb.TokenizeRequest(model="other")),
        tokens.Detokenize(pb.DetokenizeRequest(model="other")),
        tokens.CountTokens(pb.CountTokensRequest(request=other)),
        tokens.RenderPrompt(pb.RenderPromptRequest(request=other)),
    ):
        code, reason, _ = await refusal_of(call)
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND")


async def test_a_tokenizer_that_is_away_is_unavailable(
    tokens: pb_grpc.TokenizerServiceStub, way: FakeWay
) -> None:
    way.tokenizer.is_available = False
    code, reason, _ = await refusal_of(tokens.Tokenize(pb.TokenizeRequest(text="hi")))
    assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "TOKENIZER_UNAVAILABLE")
