"""Everything that can go wrong in a call, as exceptions, and how they are made from gRPC.

    TriptychError
    ├── InvalidRequestError            a field is wrong; `violations` names each
    │   ├── MediaError                 the bytes are no readable file of an allowed format
    │   ├── LimitExceededError         larger than the server allows
    │   │   └── PromptTooLongError     the prompt does not fit the model's context
    │   ├── ModalityUnsupportedError   the model does not take this kind of part
    │   └── TemplateRefusedError       the model's chat template refuses the conversation
    ├── ModelNotFoundError
    ├── MediaNotFoundError             the server does not have that `media_id`, or no longer
    ├── MediaFetchError                the host of a URL answered, but not with a medium
    ├── NotServedError                 in the contract, not in this server's version
    │   └── MediaSourceUnsupportedError
    ├── TaskUnsupportedError           the model answers and gives no vectors, or the other way
    ├── UnavailableError               cannot be reached, or not ready: try later, or elsewhere
    ├── DeadlineExceededError          `timeout_s` is over
    ├── CancelledError                 the call was cancelled, or not read on; it is not whole
    ├── SessionEndedError              a session was idle, or lasted, for as long as it may
    ├── AccessDeniedError              the credentials are missing, wrong, or not enough
    │   └── MediaSourceForbiddenError  a host, an address or a path that the server refuses
    └── InternalError                  a defect of the server, or no Triptych server

The reason in `google.rpc.ErrorInfo` decides the class; without one the status code does. A
missing local file is no error of a call: it is a plain FileNotFoundError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import (
    error_details_pb2,
    status_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STATUS_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field of a request: its path, and what is wrong."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What a server tells about a failure beside its message; all empty when it tells nothing."""

    reason: str = ""
    metadata: Mapping[str, str] | None = None
    violations: tuple[Violation, ...] = ()
    retry_after_s: float | None = None
    request_id: str = ""


class TriptychError(Exception):
    """Base of all; `str()` of it is the server's message."""

    def __init__(
        self, message: str, code: grpc.StatusCode, details: ErrorDetails | None = None
    ) -> None:
        """Keep the status code and what the server told beside the message."""
        super().__init__(message)
        details = details or ErrorDetails()
        self.message = message
        self.code = code
        #: A name of `triptych.v1.ErrorReason` without its prefix; empty when not told.
        self.reason = details.reason
        #: What the reason carries, such as `limit`, `limit_value` and `actual`.
        self.metadata = dict(details.metadata or {})
        #: Each wrong field; empty when none is named.
        self.violations = details.violations
        #: How long to wait before a retry, in seconds; None when not told.
        self.retry_after_s = details.retry_after_s
        #: The server's name for the request, as in its logs; empty when not told.
        self.request_id = details.request_id

    @property
    def field(self) -> str:
        """The path of the (first) wrong field; empty when none is named."""
        if self.violations:
            return self.violations[0].field
        return self.metadata.get("field", "")


class InvalidRequestError(TriptychError):
    """A field of the request is wrong. Correct it; retrying is of no use."""


class MediaError(InvalidRequestError):
    """The bytes of a medium are no readable file of an allowed format."""


class LimitExceededError(InvalidRequestError):
    """A medium or the request is larger than the server allows."""


class PromptTooLongError(LimitExceededError):
    """The prompt does not fit the model's context."""


class ModalityUnsupportedError(InvalidRequestError):
    """The model does not take this kind of part."""


class TemplateRefusedError(InvalidRequestError):
    """The model's chat template refuses the conversation."""


class ModelNotFoundError(TriptychError):
    """No model of that name is served; `list_models` tells which are."""


class MediaNotFoundError(TriptychError):
    """The server does not have that `media_id` for this caller, or no longer; upload it again."""


class MediaFetchError(TriptychError):
    """The host of a URL answered the server, but not with a medium."""


class NotServedError(TriptychError):
    """The contract has it, this server's version does not."""


class MediaSourceUnsupportedError(NotServedError):
    """The server's version does not take media from that source."""


class TaskUnsupportedError(TriptychError):
    """The model answers prompts and gives no vectors, or the other way round; see `Model.tasks`."""


class UnavailableError(TriptychError):
    """The server cannot be reached or is not ready; later, or elsewhere, it may work."""


class DeadlineExceededError(TriptychError):
    """The call took longer than its `timeout_s`."""


class CancelledError(TriptychError):
    """The call was cancelled, or not read on for too long; what was read of it is not whole."""


class SessionEndedError(TriptychError):
    """A session was idle, or lasted, for as long as the server lets one; open a new one."""


class AccessDeniedError(TriptychError):
    """The server, or a proxy before it, wants other credentials."""


class MediaSourceForbiddenError(AccessDeniedError):
    """The server does not fetch from that host or address, or does not open that path."""


class InternalError(TriptychError):
    """A defect of the server, or what answers is no Triptych server."""


ERROR_OF_REASON: dict[str, type[TriptychError]] = {
    "INVALID_FIELD": InvalidRequestError,
    "MEDIA_UNDECODABLE": MediaError,
    "LIMIT_EXCEEDED": LimitExceededError,
    "MODALITY_UNSUPPORTED": ModalityUnsupportedError,
    "PROMPT_TOO_LONG": PromptTooLongError,
    "TEMPLATE_REFUSED": TemplateRefusedError,
    "MODEL_NOT_FOUND": ModelNotFoundError,
    "NOT_SERVED_YET": NotServedError,
    "TASK_UNSUPPORTED": TaskUnsupportedError,
    "MEDIA_SOURCE_UNSUPPORTED": MediaSourceUnsupportedError,
    "MEDIA_SOURCE_FORBIDDEN": MediaSourceForbiddenError,
    "MEDIA_FETCH_FAILED": MediaFetchError,
    "MEDIA_FETCH_UNAVAILABLE": UnavailableError,
    "MEDIA_NOT_FOUND": MediaNotFoundError,
    "MEDIA_BUDGET_EXCEEDED": UnavailableError,
    "MEDIA_WORKER_LOST": UnavailableError,
    "ENGINE_UNAVAILABLE": UnavailableError,
    "TOKENIZER_UNAVAILABLE": UnavailableError,
    "SHUTTING_DOWN": UnavailableError,
    "OVERLOADED": UnavailableError,
    "DEADLINE_EXCEEDED": DeadlineExceededError,
    "READER_STALLED": CancelledError,
    "SESSION_LIMIT_EXCEEDED": SessionEndedError,
    "INTERNAL": InternalError,
}
"""Every reason of `error_reason.proto`; a test proves it."""

ERROR_OF_CODE: dict[grpc.StatusCode, type[TriptychError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequestError,
    grpc.StatusCode.FAILED_PRECONDITION: InvalidRequestError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitExceededError,
    grpc.StatusCode.NOT_FOUND: ModelNotFoundError,
    grpc.StatusCode.UNIMPLEMENTED: NotServedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.CANCELLED: CancelledError,
    grpc.StatusCode.UNAUTHENTICATED: AccessDeniedError,
    grpc.StatusCode.PERMISSION_DENIED: AccessDeniedError,
}
"""For failures without a reason, such as those of gRPC itself; others are InternalError."""


def error_from_rpc(error: grpc.RpcError) -> TriptychError:
    """Make our exception of gRPC's, which both of its APIs raise with the same three methods."""
    call: Any = error
    code: grpc.StatusCode = call.code()
    details = read_error_details(call.trailing_metadata() or ())
    kind = ERROR_OF_REASON.get(details.reason) or ERROR_OF_CODE.get(code, InternalError)
    return kind(call.details() or code.name.lower(), code, details)


@contextmanager
def raised_as_ours() -> Iterator[None]:
    """Raise our exception where a call in the block raises gRPC's."""
    try:
        yield
    except grpc.RpcError as error:
        raise error_from_rpc(error) from error


def read_error_details(trailing_metadata: Iterable[tuple[str, str | bytes]]) -> ErrorDetails:
    """Read the `google.rpc` details of a failed call; unreadable ones count as none."""
    encoded = next((value for key, value in trailing_metadata if key == _STATUS_DETAILS_KEY), b"")
    try:
        status = status_pb2.Status.FromString(encoded)
        info, bad, retry, request = (
            _unpack_first(status, kind)
            for kind in (
                error_details_pb2.ErrorInfo,
                error_details_pb2.BadRequest,
                error_details_pb2.RetryInfo,
                error_details_pb2.RequestInfo,
            )
        )
    except (DecodeError, TypeError):
        return ErrorDetails()
    metadata = dict(info.metadata) if info else {}
    return ErrorDetails(
        reason=info.reason if info else "",
        metadata=metadata,
        violations=tuple(
            Violation(violation.field, violation.description)
            for violation in (bad.field_violations if bad else ())
        ),
        retry_after_s=retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
        request_id=(request.request_id if request else "") or metadata.get("request_id", ""),
    )


def _unpack_first(status: status_pb2.Status, kind: type[Any]) -> Any:
    """Return the first detail of that kind, or None."""
    for detail in status.details:
        if detail.Is(kind.DESCRIPTOR):
            message = kind()
            detail.Unpack(message)
            return message
    return None
