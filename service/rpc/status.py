"""The one table that turns our exceptions into gRPC statuses.

Every failed call carries `google.rpc.ErrorInfo` with a reason of error_reason.proto; wrong fields
come as `BadRequest`, and what may work later as `RetryInfo`. Tested for totality over errors.py
by tests/unit/rpc/test_status.py.
"""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from service import errors
from triptych.v1 import error_reason_pb2 as reasons

ERROR_DOMAIN = "triptych"
_RETRY_AFTER = duration_pb2.Duration(seconds=1)

_STATUSES: dict[type[errors.TriptychError], tuple[int, reasons.ErrorReason.ValueType]] = {
    errors.InvalidRequestError: (code_pb2.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_FIELD),
    errors.MediaUndecodableError: (
        code_pb2.INVALID_ARGUMENT,
        reasons.ERROR_REASON_MEDIA_UNDECODABLE,
    ),
    errors.LimitExceededError: (code_pb2.INVALID_ARGUMENT, reasons.ERROR_REASON_LIMIT_EXCEEDED),
    errors.ModalityUnsupportedError: (
        code_pb2.INVALID_ARGUMENT,
        reasons.ERROR_REASON_MODALITY_UNSUPPORTED,
    ),
    errors.PromptTooLongError: (code_pb2.INVALID_ARGUMENT, reasons.ERROR_REASON_PROMPT_TOO_LONG),
    errors.TemplateRefusedError: (
        code_pb2.INVALID_ARGUMENT,
        reasons.ERROR_REASON_TEMPLATE_REFUSED,
    ),
    errors.ModelNotFoundError: (code_pb2.NOT_FOUND, reasons.ERROR_REASON_MODEL_NOT_FOUND),
    errors.NotServedYetError: (code_pb2.UNIMPLEMENTED, reasons.ERROR_REASON_NOT_SERVED_YET),
    errors.TaskUnsupportedError: (
        code_pb2.FAILED_PRECONDITION,
        reasons.ERROR_REASON_TASK_UNSUPPORTED,
    ),
    errors.MediaNotFoundError: (code_pb2.NOT_FOUND, reasons.ERROR_REASON_MEDIA_NOT_FOUND),
    errors.MediaSourceUnsupportedError: (
        code_pb2.FAILED_PRECONDITION,
        reasons.ERROR_REASON_MEDIA_SOURCE_UNSUPPORTED,
    ),
    errors.MediaSourceForbiddenError: (
        code_pb2.PERMISSION_DENIED,
        reasons.ERROR_REASON_MEDIA_SOURCE_FORBIDDEN,
    ),
    errors.MediaFetchFailedError: (
        code_pb2.FAILED_PRECONDITION,
        reasons.ERROR_REASON_MEDIA_FETCH_FAILED,
    ),
    errors.MediaFetchUnavailableError: (
        code_pb2.UNAVAILABLE,
        reasons.ERROR_REASON_MEDIA_FETCH_UNAVAILABLE,
    ),
    errors.MediaWorkerLostError: (
        code_pb2.UNAVAILABLE,
        reasons.ERROR_REASON_MEDIA_WORKER_LOST,
    ),
    errors.MediaBudgetExceededError: (
        code_pb2.RESOURCE_EXHAUSTED,
        reasons.ERROR_REASON_MEDIA_BUDGET_EXCEEDED,
    ),
    errors.MediaStoreFullError: (
        code_pb2.RESOURCE_EXHAUSTED,
        reasons.ERROR_REASON_MEDIA_BUDGET_EXCEEDED,
    ),
    errors.EngineUnavailableError: (
        code_pb2.UNAVAILABLE,
        reasons.ERROR_REASON_ENGINE_UNAVAILABLE,
    ),
    errors.TokenizerUnavailableError: (
        code_pb2.UNAVAILABLE,
        reasons.ERROR_REASON_TOKENIZER_UNAVAILABLE,
    ),
    errors.OverloadedError: (code_pb2.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_OVERLOADED),
    errors.ShuttingDownError: (code_pb2.UNAVAILABLE, reasons.ERROR_REASON_SHUTTING_DOWN),
    errors.DeadlineExceededError: (
        code_pb2.DEADLINE_EXCEEDED,
        reasons.ERROR_REASON_DEADLINE_EXCEEDED,
    ),
    errors.ReaderStalledError: (code_pb2.ABORTED, reasons.ERROR_REASON_READER_STALLED),
    errors.SessionLimitExceededError: (
        code_pb2.ABORTED,
        reasons.ERROR_REASON_SESSION_LIMIT_EXCEEDED,
    ),
}


def status_for(error: errors.TriptychError) -> status_pb2.Status:
    """Return the status of one of our errors; raises KeyError for a class outside the table."""
    code, reason = _STATUSES[type(error)]
    details: list[Message] = []
    if isinstance(error, errors.InvalidRequestError):
        details.append(_bad_request(error))
    details.append(_error_info(reason, error.metadata))
    if isinstance(error, errors.UnavailableError):
        details.append(error_details_pb2.RetryInfo(retry_delay=_RETRY_AFTER))
    return _status(code, error.message, details)


def status_for_defect(request_id: str) -> status_pb2.Status:
    """Return the status of an unknown failure: nothing from inside, only the id to search for."""
    details = [_error_info(reasons.ERROR_REASON_INTERNAL, {"request_id": request_id})]
    message = f"internal error; the server's log has it under request id {request_id}"
    return _status(code_pb2.INTERNAL, message, details)


def reasons_of_statuses() -> dict[str, tuple[int, bool]]:
    """Return each reason with its code, and whether such calls may work later; docs are made of it.

    Several errors may share a reason, which then have the same code.
    """
    rows = {reasons.ERROR_REASON_INTERNAL: (code_pb2.INTERNAL, False)}
    for error, (code, reason) in _STATUSES.items():
        row = code, issubclass(error, errors.UnavailableError)
        if rows.setdefault(reason, row) != row:
            raise ValueError(f"two errors give {_name_of(reason)} different codes")
    return {_name_of(reason): row for reason, row in rows.items()}


def grpc_code(status: status_pb2.Status) -> grpc.StatusCode:
    """Return the status's code as grpc's enum."""
    return _GRPC_CODES[status.code]


_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _bad_request(error: errors.InvalidRequestError) -> error_details_pb2.BadRequest:
    violation = error_details_pb2.BadRequest.FieldViolation
    return error_details_pb2.BadRequest(
        field_violations=[
            violation(field=field, description=problem) for field, problem in error.violations
        ]
    )


def _error_info(
    reason: reasons.ErrorReason.ValueType, metadata: dict[str, str]
) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(
        reason=_name_of(reason), domain=ERROR_DOMAIN, metadata=metadata
    )


def _name_of(reason: reasons.ErrorReason.ValueType) -> str:
    return reasons.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")


def _status(code: int, message: str, details: list[Message]) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status
