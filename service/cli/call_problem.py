"""Puts a failed call into words for a person: the field, the problem, and the cure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

CURES = {
    "INVALID_FIELD": "correct it and ask again",
    "MEDIA_UNDECODABLE": "check that the file is whole and its format is allowed: PNG, JPEG, WebP,"
    " GIF, BMP, TIFF, AVIF; WAV, FLAC, MP3, OGG, M4A; MP4, WebM, GIF",
    "LIMIT_EXCEEDED": "send a smaller one, or raise the server's limit",
    "MODALITY_UNSUPPORTED": "leave the file out, or serve a model that takes it",
    "PROMPT_TOO_LONG": "ask with less text or smaller media",
    "TEMPLATE_REFUSED": "try it without --system, or with fewer files",
    "MODEL_NOT_FOUND": "start the server with that model: triptych serve MODEL",
    "NOT_SERVED_YET": "use a newer server",
    "MEDIA_SOURCE_UNSUPPORTED": "send the file itself, or start the server with that source",
    "MEDIA_SOURCE_FORBIDDEN": "send the file itself, or have the server allow its place",
    "MEDIA_FETCH_FAILED": "check the URL in a browser, or send the file itself",
    "MEDIA_FETCH_UNAVAILABLE": "ask again later, or send the file itself",
    "MEDIA_NOT_FOUND": "upload it again",
    "MEDIA_BUDGET_EXCEEDED": "ask again in a moment",
    "MEDIA_WORKER_LOST": "ask again",
    "ENGINE_UNAVAILABLE": "wait for the engine; the server's log tells how it is",
    "TOKENIZER_UNAVAILABLE": "ask again in a moment",
    "SHUTTING_DOWN": "ask again when the server is back",
    "OVERLOADED": "ask again in a moment",
    "DEADLINE_EXCEEDED": "give it more time",
    "READER_STALLED": "ask again, and read on",
    "SESSION_LIMIT_EXCEEDED": "begin another session with the conversation until then",
    "TASK_UNSUPPORTED": "ask a server whose model does that; GetModel tells its tasks",
    "INTERNAL": "this is a defect; the server's log has more under the request id",
}
"""One for every reason of `error_reason.proto`; a test proves it."""

_CURES_WITHOUT_REASON = {
    grpc.StatusCode.UNIMPLEMENTED: "another service answers there; check --target",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "send smaller files",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no (whole) answer; its text has one line for each of problem and cure."""

    text: str
    is_unreachable: bool


def problem_of(error: grpc.RpcError, target: str) -> Problem:
    """Describe a failed call to that server."""
    call: Any = error
    details = _details_of(call)
    info = details.get("ErrorInfo")
    if info is None and call.code() is grpc.StatusCode.UNAVAILABLE:
        return Problem(_unreachable_text(call.details(), target), is_unreachable=True)
    bad = details.get("BadRequest")
    lines = [f"{one.field}: {one.description}" for one in (bad.field_violations if bad else ())]
    lines = lines or [call.details() or call.code().name]
    if info is not None and (request_id := info.metadata.get("request_id")):
        lines.append(f"request id: {request_id}")
    cure = CURES.get(info.reason) if info else _CURES_WITHOUT_REASON.get(call.code())
    if cure:
        lines.append(cure)
    if retry := details.get("RetryInfo"):
        lines.append(f"retry in {retry.retry_delay.ToTimedelta().total_seconds():g} s")
    return Problem("\n".join(lines), is_unreachable=False)


def _unreachable_text(details: str, target: str) -> str:
    return (
        f"no server answers at {target}: {details}\n"
        "start one with `triptych serve`, or name another with --target HOST:PORT"
    )


def _details_of(call: Any) -> dict[str, Any]:  # noqa: ANN401  # google.rpc has no types
    """Return the first detail of each kind, by the kind's name."""
    status = rpc_status.from_call(call)
    details: dict[str, Any] = {}
    for packed in status.details if status else ():
        name = packed.TypeName().rpartition(".")[2]
        kind = getattr(error_details_pb2, name, None)
        if kind is not None and packed.Is(kind.DESCRIPTOR):
            details.setdefault(name, kind.FromString(packed.value))
    return details
