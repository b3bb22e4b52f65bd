"""Server reflection, v1 and v1alpha.

grpcio-reflection has v1alpha only. The protocol of v1 is the same under another package name,
message for message (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md), so the
v1alpha servicer answers both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf import descriptor, descriptor_pb2, descriptor_pool, text_format
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

_V1 = "grpc.reflection.v1.ServerReflection"


def add_reflection(server: grpc.aio.Server, service_names: Sequence[str]) -> None:
    """Describe these services (fully qualified names) and reflection itself, in both versions."""
    _describe_v1()
    servicer = reflection.aio.ReflectionServicer(  # type: ignore[attr-defined]
        (*service_names, reflection.SERVICE_NAME, _V1), pool=_PoolWithMethods()
    )
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_V1, {"ServerReflectionInfo": handler}),)
    )


class _PoolWithMethods:
    """The default pool, which does not find methods; `grpcurl describe` asks for them."""

    def __init__(self) -> None:
        self._pool = descriptor_pool.Default()

    def FindFileContainingSymbol(self, symbol: str) -> descriptor.FileDescriptor:  # noqa: N802 - protobuf's name
        """Raises KeyError where nothing has the name, as protobuf's pool does."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            found = self._pool.FindServiceByName(service)
            if method not in found.methods_by_name:
                raise
            return found.file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


def _describe_v1() -> None:
    """Put v1's description into the pool, so that reflection can describe itself."""
    v1alpha = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(v1alpha)
    v1 = text_format.Parse(
        text_format.MessageToString(v1alpha).replace("v1alpha", "v1"),
        descriptor_pb2.FileDescriptorProto(),
    )
    descriptor_pool.Default().AddSerializedFile(v1.SerializeToString())
