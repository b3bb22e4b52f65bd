"""One failure of each kind that a server sends, with the exception that the clients raise."""

from __future__ import annotations

import grpc

from tests.unit.client.fake_server import Failure
from triptych_client import (
    AccessDeniedError,
    CancelledError,
    DeadlineExceededError,
    InternalError,
    InvalidRequestError,
    LimitExceededError,
    MediaError,
    MediaFetchError,
    MediaNotFoundError,
    MediaSourceForbiddenError,
    MediaSourceUnsupportedError,
    ModalityUnsupportedError,
    ModelNotFoundError,
    NotServedError,
    PromptTooLongError,
    SessionEndedError,
    TaskUnsupportedError,
    TemplateRefusedError,
    TriptychError,
    UnavailableError,
)

_IMAGE = "conversation.messages[0].parts[1].image"
_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def _invalid(reason: str, field: str) -> Failure:
    return Failure(_INVALID, f"{field}: no", reason, {"field": field}, [(field, "no")])


FAILURES: list[tuple[Failure, type[TriptychError]]] = [
    (_invalid("INVALID_FIELD", "sampling.top_p"), InvalidRequestError),
    (_invalid("MEDIA_UNDECODABLE", _IMAGE), MediaError),
    (_invalid("LIMIT_EXCEEDED", _IMAGE), LimitExceededError),
    (_invalid("MODALITY_UNSUPPORTED", _IMAGE), ModalityUnsupportedError),
    (_invalid("PROMPT_TOO_LONG", "conversation"), PromptTooLongError),
    (_invalid("TEMPLATE_REFUSED", "conversation"), TemplateRefusedError),
    (Failure(grpc.StatusCode.NOT_FOUND, "no model", "MODEL_NOT_FOUND"), ModelNotFoundError),
    (Failure(grpc.StatusCode.UNIMPLEMENTED, "later", "NOT_SERVED_YET"), NotServedError),
    (
        Failure(grpc.StatusCode.FAILED_PRECONDITION, "no vectors", "TASK_UNSUPPORTED"),
        TaskUnsupportedError,
    ),
    (
        Failure(grpc.StatusCode.UNIMPLEMENTED, "no urls", "MEDIA_SOURCE_UNSUPPORTED"),
        MediaSourceUnsupportedError,
    ),
    (
        Failure(grpc.StatusCode.PERMISSION_DENIED, "not there", "MEDIA_SOURCE_FORBIDDEN"),
        MediaSourceForbiddenError,
    ),
    (
        Failure(grpc.StatusCode.FAILED_PRECONDITION, "404", "MEDIA_FETCH_FAILED"),
        MediaFetchError,
    ),
    (Failure(_UNAVAILABLE, "503", "MEDIA_FETCH_UNAVAILABLE"), UnavailableError),
    (Failure(grpc.StatusCode.NOT_FOUND, "upload it", "MEDIA_NOT_FOUND"), MediaNotFoundError),
    (
        Failure(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", "MEDIA_BUDGET_EXCEEDED", retry_after_s=1.0
        ),
        UnavailableError,
    ),
    (Failure(_UNAVAILABLE, "killed", "MEDIA_WORKER_LOST"), UnavailableError),
    (Failure(_UNAVAILABLE, "dead", "ENGINE_UNAVAILABLE", retry_after_s=2.5), UnavailableError),
    (Failure(_UNAVAILABLE, "restarts", "TOKENIZER_UNAVAILABLE"), UnavailableError),
    (Failure(_UNAVAILABLE, "stops", "SHUTTING_DOWN"), UnavailableError),
    (
        Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", "OVERLOADED", retry_after_s=1.0),
        UnavailableError,
    ),
    (
        Failure(grpc.StatusCode.DEADLINE_EXCEEDED, "fetching", "DEADLINE_EXCEEDED"),
        DeadlineExceededError,
    ),
    (Failure(grpc.StatusCode.ABORTED, "stopped", "READER_STALLED"), CancelledError),
    (Failure(grpc.StatusCode.ABORTED, "idle", "SESSION_LIMIT_EXCEEDED"), SessionEndedError),
    (
        Failure(grpc.StatusCode.INTERNAL, "defect", "INTERNAL", {"request_id": "r-7"}),
        InternalError,
    ),
    # Without a reason, as proxies and gRPC itself send them.
    (Failure(_INVALID, "no"), InvalidRequestError),
    (Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "too large"), LimitExceededError),
    (Failure(grpc.StatusCode.NOT_FOUND, "no"), ModelNotFoundError),
    (Failure(grpc.StatusCode.UNIMPLEMENTED, "no"), NotServedError),
    (Failure(_UNAVAILABLE, "no"), UnavailableError),
    (Failure(grpc.StatusCode.CANCELLED, "no"), CancelledError),
    (Failure(grpc.StatusCode.UNAUTHENTICATED, "no"), AccessDeniedError),
    (Failure(grpc.StatusCode.PERMISSION_DENIED, "no"), AccessDeniedError),
    (Failure(grpc.StatusCode.UNKNOWN, "no"), InternalError),
]
"""Every reason and every code of the tables in `_errors.py`, but DEADLINE_EXCEEDED."""


def failure_id(value: object) -> str:
    """Name a case by its reason, or its code."""
    if isinstance(value, Failure):
        return value.reason or value.code.name
    return ""
