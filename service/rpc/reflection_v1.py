"""Server reflection v1, which grpcio-reflection does not have yet.

The protocol is v1alpha's under another package name, message for message
(https://github.com/grpc/grpc/blob/master/doc/server-reflection.md), so the v1alpha servicer
answers it; only names differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from grpc_reflection.v1alpha import reflection, reflection_pb2

SERVICE_NAME = "grpc.reflection.v1.ServerReflection"


def add_reflection_v1(server: grpc.aio.Server, service_names: Sequence[str]) -> None:
    """Register the v1 service for these fully qualified names."""
    _describe_v1()
    servicer = reflection.aio.ReflectionServicer(service_names)  # type: ignore[attr-defined]
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE_NAME, {"ServerReflectionInfo": handler}),)
    )


def _describe_v1() -> None:
    """Put v1's description into the pool, so that reflection can describe itself."""
    v1alpha = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(v1alpha)
    v1 = text_format.Parse(
        text_format.MessageToString(v1alpha).replace("v1alpha", "v1"),
        descriptor_pb2.FileDescriptorProto(),
    )
    descriptor_pool.Default().AddSerializedFile(v1.SerializeToString())
