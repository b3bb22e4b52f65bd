"""Writes docs/errors.md from proto/triptych/v1/error_reason.proto and service/rpc/status.py.

    python scripts/error_reference.py            writes it (`make gen` does)
    python scripts/error_reference.py --check    fails when it is not what would be written

The comment of each reason begins with its status, then says when it happens and what to do, then
shows the `ErrorInfo` in JSON. What it says of the status must be what the table says: a reason that
contradicts the table, or that is in none of its rows, is an error here.
Tested by tests/unit/rpc/test_error_reference.py.
"""
# ruff: noqa: INP001 - scripts/ is a folder of programs, no package

from __future__ import annotations

import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.rpc import code_pb2
from grpc_tools import protoc

from service.rpc.status import reasons_of_statuses
from triptych.v1 import error_reason_pb2

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "errors.md"
_PROTO = "triptych/v1/error_reason.proto"
_PREFIX = "ERROR_REASON_"
# Numbers of fields in descriptor.proto, which name a place in a file: `enum_type`, `value`.
_ENUM_TYPE, _VALUE = 5, 2

_TOP = """\
<!-- Written by `make gen` from proto/triptych/v1/error_reason.proto; do not edit. -->

# Errors

A call that fails ends with a gRPC status, never with an error inside a response. Its details, in
`grpc-status-details-bin`, are messages of `google.rpc`:

- **`ErrorInfo`**, always: `domain` is `triptych`, `reason` one of the table, `metadata` what a
  program may want to know, such as the `field` (`conversation.messages[2].parts[1].image`), or a
  `limit`, its `limit_value`, and what the request has (`actual`).
- **`BadRequest`** with every wrong field and what is wrong with it, for `INVALID_ARGUMENT`.
- **`RetryInfo`**, where the table says so: the same call may work after this time, or at once on
  another replica.

The message is for people: what happened, with which value, and what to do. Programs read the
reason. The examples are in [error_reason.proto](../proto/triptych/v1/error_reason.proto).

"""
_BOTTOM = """
What the server does not expect is `INTERNAL`: its message and details have a request id and nothing
else from inside; the server's log has the rest under this id.

gRPC itself ends a few calls, without any of these details: `RESOURCE_EXHAUSTED` (a message above
`--max-message-mib`), `UNIMPLEMENTED` (no such method), `UNAVAILABLE` (no server there),
`DEADLINE_EXCEEDED` and `CANCELLED` (the client's own doing).
"""


class ContradictionError(Exception):
    """The comments and the table do not agree."""


@dataclass(frozen=True)
class Reason:
    """One value of the enum, as its comment tells it."""

    name: str
    code: str
    text: str
    metadata: dict[str, str]


def documented_reasons() -> list[Reason]:
    """Read the comments; raises ContradictionError for one that is not made as it must be."""
    enum = descriptor_pb2.EnumDescriptorProto()
    error_reason_pb2.ErrorReason.DESCRIPTOR.CopyToProto(enum)
    numbers = {value.name: value.number for value in enum.value}
    file = _compiled(ROOT / "proto")
    comments = {
        tuple(place.path): place.leading_comments for place in file.source_code_info.location
    }
    return [
        _to_reason(value.name.removeprefix(_PREFIX), comments[_ENUM_TYPE, 0, _VALUE, index])
        for index, value in enumerate(file.enum_type[0].value)
        if numbers.get(value.name, value.number) != 0
    ]


def reference() -> str:
    """Return the whole page."""
    rows = reasons_of_statuses()
    reasons = documented_reasons()
    lines = [
        "| reason | status | when, and what to do | metadata | retry |",
        "| --- | --- | --- | --- | --- |",
    ]
    for reason in reasons:
        if reason.name not in rows:
            raise ContradictionError(
                f"{reason.name} is in no row of service/rpc/status.py; add one, then `make gen`"
            )
        code, may_retry = rows[reason.name]
        if reason.code != code_pb2.Code.Name(code):
            raise ContradictionError(
                f"the comment of {reason.name} in error_reason.proto begins with {reason.code}, "
                f"but service/rpc/status.py says {code_pb2.Code.Name(code)}"
            )
        names = ", ".join(f"`{name}`" for name in reason.metadata)
        retry = "yes" if may_retry else ""
        lines.append(f"| `{reason.name}` | `{reason.code}` | {reason.text} | {names} | {retry} |")
    return _TOP + "\n".join(lines) + "\n" + _BOTTOM


def _to_reason(name: str, comment: str) -> Reason:
    text, _, example = comment.partition("\n\n")
    code, _, told = " ".join(text.split()).partition(". ")
    if not re.fullmatch("[A-Z_]+", code) or not told:
        raise ContradictionError(f"the comment of {name} must begin like `NOT_FOUND. No such …`")
    try:
        info = json.loads(example)
    except ValueError as exc:
        raise ContradictionError(
            f"the comment of {name} must end with its ErrorInfo: {exc}"
        ) from exc
    if info["reason"] != name:
        raise ContradictionError(f"the example of {name} is one of {info['reason']}")
    return Reason(name, code, told.replace("|", r"\|"), info["metadata"])


def _compiled(folder: Path) -> descriptor_pb2.FileDescriptorProto:
    """Return the file with its comments, which generated code does not have."""
    with tempfile.NamedTemporaryFile() as out:
        options = ["", f"-I{folder}", "--include_source_info", f"--descriptor_set_out={out.name}"]
        if protoc.main([*options, _PROTO]):
            raise ContradictionError(f"protoc does not read {_PROTO}")
        files = descriptor_pb2.FileDescriptorSet.FromString(Path(out.name).read_bytes())
    return files.file[0]


def main(arguments: list[str]) -> str | None:
    """Write or check; return what is wrong."""
    try:
        page = reference()
    except ContradictionError as error:
        return str(error)
    if arguments == ["--check"]:
        is_current = REFERENCE.exists() and REFERENCE.read_text(encoding="utf-8") == page
        return None if is_current else "docs/errors.md is not what `make gen` writes"
    REFERENCE.write_text(page, encoding="utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
