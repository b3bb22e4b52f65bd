"""What a server says of itself, in both versions of the reflection protocol."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2

from service.rpc.server import RpcServer

VERSIONS = ["v1", "v1alpha"]


async def ask(
    channel: grpc.aio.Channel, version: str, request: reflection_pb2.ServerReflectionRequest
) -> reflection_pb2.ServerReflectionResponse:
    call = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    (response,) = [response async for response in call(iter([request]))]
    return response


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("symbol", "file"),
    [
        ("triptych.v1.GenerationService", "triptych/v1/generation_service.proto"),
        ("triptych.v1.GenerationService.Generate", "triptych/v1/generation_service.proto"),
        ("triptych.v1.ImagePart.source", "triptych/v1/media.proto"),
        ("grpc.reflection.v1.ServerReflection", "grpc_reflection/v1/reflection.proto"),
    ],
)
async def test_services_methods_and_fields_are_found(
    open_server: RpcServer, channel: grpc.aio.Channel, version: str, symbol: str, file: str
) -> None:
    """protobuf's own pool does not find methods, so that `grpcurl describe` failed on one."""
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)

    response = await ask(channel, version, request)

    serialized = response.file_descriptor_response.file_descriptor_proto
    names = [descriptor_pb2.FileDescriptorProto.FromString(one).name for one in serialized]
    assert names[0] == file


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "symbol", ["triptych.v1.GenerationService.Sing", "triptych.v1.Opera", "Opera", "", "."]
)
async def test_an_unknown_symbol_is_not_found(
    open_server: RpcServer, channel: grpc.aio.Channel, version: str, symbol: str
) -> None:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)

    response = await ask(channel, version, request)

    assert response.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
