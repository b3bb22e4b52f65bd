"""Server reflection v1, which grpcio-reflection does not have yet.

The protocol is v1alpha's under another package name, message for message
(https://github.com/grpc/grpc/blob/master/doc/server-reflection.md), so the v1alpha servicer
answers it; only the name that clients dial differs.
"""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

SERVICE_NAME = "grpc.reflection.v1.ServerReflection"


def add_reflection_v1(server: grpc.aio.Server, service_names: Sequence[str]) -> None:
    """Register the v1 service for these fully qualified names."""
    servicer = reflection.aio.ReflectionServicer(service_names)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE_NAME, {"ServerReflectionInfo": handler}),)
    )
