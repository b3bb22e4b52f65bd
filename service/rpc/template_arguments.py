"""Turns `PromptOptions.template_arguments` into plain values, and keeps them harmless.

Tested by tests/unit/rpc/test_template_arguments.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf import struct_pb2

    from service.rpc.violations import Violations

_FIELD = "prompt_options.template_arguments"
_MAX_BYTES = 64 << 10
_MAX_LEVELS = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Keys are written by templates too, but cannot be marked as the caller's; so they have nothing
# that a control token begins or ends with.
_KEY = re.compile(r"[A-Za-z0-9_ .,:/+-]{1,256}")
# What the server sets itself, what transformers takes for something else, and Jinja's own.
_RESERVED = {
    *("add_generation_prompt", "continue_final_message", "documents", "messages", "tools"),
    *("chat_template", "conversation", "return_dict", "tokenize"),
    *("cycler", "dict", "joiner", "lipsum", "namespace", "raise_exception", "range"),
    *("caller", "kwargs", "loop", "self", "strftime_now", "varargs"),
}
_MAX_EXACT = 2**53


def to_template_arguments(message: struct_pb2.Struct, violations: Violations) -> dict[str, Any]:
    """Convert; what is wrong goes to `violations`."""
    size = message.ByteSize()
    if size > _MAX_BYTES:
        violations.add(_FIELD, f"must have at most {_MAX_BYTES} bytes, got {size}")
        return {}
    arguments = {}
    for name, value in message.fields.items():
        path = f"{_FIELD}.{name[:80]}"
        if not _NAME.fullmatch(name):
            violations.add(path, "must be named as a variable of Jinja, of at most 64 characters")
        elif name in _RESERVED or name.endswith("_token"):
            violations.add(path, "is set by the server")
        else:
            arguments[name] = _to_value(value, path, violations, _MAX_LEVELS)
    return arguments


def _to_value(message: struct_pb2.Value, path: str, violations: Violations, levels: int) -> Any:
    if levels == 0:
        violations.add(path, f"must have at most {_MAX_LEVELS} levels")
        return None
    match message.WhichOneof("kind"):
        case "number_value":
            number = message.number_value
            return int(number) if number.is_integer() and abs(number) <= _MAX_EXACT else number
        case "list_value":
            return [
                _to_value(item, f"{path}[{index}]", violations, levels - 1)
                for index, item in enumerate(message.list_value.values)
            ]
        case "struct_value":
            return _to_object(message.struct_value, path, violations, levels)
        case "string_value" | "bool_value" as kind:
            return getattr(message, kind)
        case _:
            return None


def _to_object(
    message: struct_pb2.Struct, path: str, violations: Violations, levels: int
) -> dict[str, Any]:
    for key in message.fields:
        if not _KEY.fullmatch(key):
            violations.add(
                path, f"has a key {key[:80]!r}; letters, digits and ' _.,:/+-' are taken"
            )
    return {
        key: _to_value(value, f"{path}.{key[:80]}", violations, levels - 1)
        for key, value in message.fields.items()
    }
