"""From the sidecar's gRPC statuses to our exceptions."""

from __future__ import annotations

import grpc

from service.errors import InvalidRequestError, TokenizerUnavailableError, TriptychError
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

_CALLERS_FAULT = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED})
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def to_triptych_error(code: grpc.StatusCode, details: str) -> TriptychError:
    """Turn a failure into an exception.

    INVALID_ARGUMENT, "token_ids[4]: 7 is ..." -> InvalidRequestError("token_ids[4]", "7 is ...").
    What is not the caller's fault can only mean that the sidecar is away or broken.
    """
    if code not in _CALLERS_FAULT:
        return TokenizerUnavailableError(f"the tokenizer sidecar failed: {code.name}: {details}")
    field, separator, problem = details.partition(": ")
    return (
        InvalidRequestError(field, problem) if separator else InvalidRequestError("text", details)
    )


def failure_of(failure: pb.StreamFailure) -> TriptychError:
    """Turn what failed within a message into an exception."""
    return to_triptych_error(
        _STATUS_CODES.get(failure.code, grpc.StatusCode.UNKNOWN), failure.message
    )
