"""The one table: every error has a status, a reason and details that a program can read."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from service import errors
from service.rpc.status import ERROR_DOMAIN, status_for, status_for_defect
from triptych.v1 import error_reason_pb2


def client_errors() -> list[type[errors.TriptychError]]:
    """Return every class of the tree that may reach a client."""
    found = []
    todo = [errors.TriptychError]
    while todo:
        error = todo.pop()
        todo += error.__subclasses__()
        found.append(error)
    hidden = (errors.TriptychError, errors.UnavailableError, errors.StartupError)
    return [error for error in found if error not in hidden]


_MADE = {
    errors.OverloadedError: ("max_waiting_requests", 10, 11),
    errors.DeadlineExceededError: ("fetching_media",),
    errors.ReaderStalledError: (60.0,),
    errors.SessionLimitExceededError: ("session_seconds", 60.0),
}


def make(error: type[errors.TriptychError]) -> errors.TriptychError:
    if issubclass(error, (errors.LimitExceededError, errors.MediaBudgetExceededError)):
        return error("some.field", "pixels", 10, 11)
    if issubclass(error, errors.InvalidRequestError):
        return error("some.field", "is wrong")
    if error in _MADE:
        return error(*_MADE[error])
    return error("it failed", field="some.field")


def detail(status: status_pb2.Status, kind: type[Message]) -> Message | None:
    for packed in status.details:
        found = kind()
        if packed.Unpack(found):
            return found
    return None


@pytest.mark.parametrize("error", client_errors())
def test_every_error_has_a_code_and_a_reason_of_the_contract(
    error: type[errors.TriptychError],
) -> None:
    status = status_for(make(error))
    info = detail(status, error_details_pb2.ErrorInfo)
    assert status.code not in (code_pb2.OK, code_pb2.UNKNOWN, code_pb2.INTERNAL)
    assert info.domain == ERROR_DOMAIN
    assert f"ERROR_REASON_{info.reason}" in error_reason_pb2.ErrorReason.keys()  # noqa: SIM118 - a method of the enum's wrapper, which is no dict


def test_wrong_fields_come_as_bad_request_each_with_its_path() -> None:
    error = errors.InvalidRequestError.of_all([("a.b", "is odd"), ("c[1]", "is even")])
    bad = detail(status_for(error), error_details_pb2.BadRequest)
    assert [(v.field, v.description) for v in bad.field_violations] == [
        ("a.b", "is odd"),
        ("c[1]", "is even"),
    ]


def test_a_limit_tells_its_name_its_value_and_what_came() -> None:
    status = status_for(errors.LimitExceededError("part", "pixels", 10, 11))
    metadata = detail(status, error_details_pb2.ErrorInfo).metadata
    assert dict(metadata) == {
        "field": "part",
        "limit": "pixels",
        "limit_value": "10",
        "actual": "11",
    }


def test_what_may_work_later_says_when_to_retry() -> None:
    status = status_for(errors.EngineUnavailableError("not yet"))
    assert detail(status, error_details_pb2.RetryInfo).retry_delay.seconds >= 1
    refused = status_for(errors.ModelNotFoundError("no"))
    assert detail(refused, error_details_pb2.RetryInfo) is None


def test_a_defect_tells_only_the_id_to_search_for() -> None:
    status = status_for_defect("abc123")
    assert status.code == code_pb2.INTERNAL
    assert "abc123" in status.message
    assert dict(detail(status, error_details_pb2.ErrorInfo).metadata) == {"request_id": "abc123"}
