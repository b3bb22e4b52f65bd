"""Every reason of error_reason.proto, provoked over a real channel, is what its comment says.

The provocations are in error_reasons.py and media_error_reasons.py, one function a reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from scripts.error_reference import documented_reasons
from service.rpc.status import ERROR_DOMAIN, reasons_of_statuses
from tests.unit.rpc import media_error_reasons
from tests.unit.rpc.error_bench import SECRET, ErrorBench, FailingGenerator
from tests.unit.rpc.error_reasons import PROVOCATIONS, REASONS
from triptych.v1 import media_service_pb2, model_service_pb2, model_service_pb2_grpc

assert media_error_reasons  # imported for what it adds
DOCUMENTED = {reason.name: reason for reason in documented_reasons()}
HOW_TO_ADD = """
error_reason.proto has reasons that no test provokes: {missing}. For each, add to
tests/unit/rpc/error_reasons.py (or to media_error_reasons.py) a function that makes the call:

    @provokes("{first}")
    async def what_the_client_does(bench: ErrorBench) -> None:
        await bench.generate(text="hi", ...)

Its status, message and details are then compared with the comment in error_reason.proto."""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[ErrorBench]:
    async with ErrorBench(tmp_path) as bench:
        yield bench


def details(error: grpc.aio.AioRpcError, kind: type[Message]) -> list[Message]:
    """Return the details of a kind."""
    status = rpc_status.from_call(error)
    assert status is not None, error
    found = []
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            found.append(detail)
    return found


def everything_sent(error: grpc.aio.AioRpcError) -> str:
    """Return all that a client gets of a failure."""
    trailing = [(key, value) for key, value in error.trailing_metadata() or ()]
    return f"{error.details()} {trailing}"


def test_every_reason_has_its_provocation() -> None:
    missing = [reason for reason in REASONS if reason not in PROVOCATIONS]
    if missing:
        pytest.fail(HOW_TO_ADD.format(missing=", ".join(missing), first=missing[0]))
    assert PROVOCATIONS.keys() <= set(REASONS)


@pytest.mark.parametrize("reason", PROVOCATIONS)
async def test_a_failure_is_what_the_contract_says_of_it(bench: ErrorBench, reason: str) -> None:
    """Its status, its reason, its metadata, and whether to retry."""
    expected = DOCUMENTED[reason]
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await PROVOCATIONS[reason](bench)
    error = failure.value
    (info,) = details(error, error_details_pb2.ErrorInfo)
    assert (info.domain, info.reason) == (ERROR_DOMAIN, reason)
    assert error.code().name == expected.code
    assert info.metadata.keys() == expected.metadata.keys()
    assert all(info.metadata.values())
    _, may_retry = reasons_of_statuses()[reason]
    retries = details(error, error_details_pb2.RetryInfo)
    assert [retry.retry_delay.seconds > 0 for retry in retries] == [True] * may_retry


@pytest.mark.parametrize("reason", PROVOCATIONS)
async def test_a_message_tells_a_person_what_happened(bench: ErrorBench, reason: str) -> None:
    """With the field's path in front, where a field is wrong; without anything from inside."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await PROVOCATIONS[reason](bench)
    message = failure.value.details()
    violations = [
        (violation.field, violation.description)
        for bad in details(failure.value, error_details_pb2.BadRequest)
        for violation in bad.field_violations
    ]
    assert bool(violations) == (failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT)
    assert all(f"{field}: {problem}" in message for field, problem in violations)
    assert len(message) > len("it failed")
    assert not message.endswith(".")
    assert "Traceback" not in message
    assert "Error" not in message


async def _generate(bench: ErrorBench) -> None:
    bench.use_generator(FailingGenerator(RuntimeError(SECRET)))
    await bench.generate(text="hi")


async def _get_model(bench: ErrorBench) -> None:
    bench.parts["prober"] = None
    bench.load()
    stub = model_service_pb2_grpc.ModelServiceStub(await bench.channel())
    await stub.GetModel(model_service_pb2.GetModelRequest())


async def _upload(bench: ErrorBench) -> None:
    class BrokenStore:
        async def begin(self, *arguments: object) -> None:
            raise OSError(SECRET)

    bench.store = BrokenStore()
    header = media_service_pb2.UploadHeader(size_bytes=1, sha256=bytes(32))
    messages = [media_service_pb2.UploadMediaRequest(header=header)]
    await (await bench.media_stub()).UploadMedia(iter(messages))


@pytest.mark.parametrize("call", [_generate, _get_model, _upload])
async def test_a_defect_tells_only_the_id_that_the_log_has(
    bench: ErrorBench, call: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the method is, and wherever it fails."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call(bench)
    (info,) = details(failure.value, error_details_pb2.ErrorInfo)
    request_id = info.metadata["request_id"]
    assert failure.value.code() is grpc.StatusCode.INTERNAL
    assert failure.value.details() == (
        f"internal error; the server's log has it under request id {request_id}"
    )
    assert SECRET not in everything_sent(failure.value)
    assert "Error" not in failure.value.details()
    logged = [record for record in caplog.records if request_id in record.getMessage()]
    assert [record.exc_info is not None for record in logged] == [True]
