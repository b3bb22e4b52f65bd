"""`StructuredOutput` from the contract to the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.domain.sampling import StructuredOutput, StructuredOutputKind

if TYPE_CHECKING:
    from service.rpc.violations import Violations
    from triptych.v1 import generation_service_pb2 as pb

_MAX_CHOICES = 1000
_MAX_BYTES = 256 << 10
_PATH = "structured_output"


def to_structured_output(
    message: pb.StructuredOutput, violations: Violations
) -> StructuredOutput | None:
    """Convert; whether a schema, an expression or a grammar can be used is seen later."""
    match message.WhichOneof("constraint"):
        case None:
            violations.add(
                _PATH, "is not set; set one of json_schema, json_object, regex, choice or grammar"
            )
            return None
        case "json_object":
            if not message.json_object:
                violations.add(f"{_PATH}.json_object", "must be true; leave it unset otherwise")
            return StructuredOutput(StructuredOutputKind.JSON_OBJECT)
        case "choice":
            choices = tuple(message.choice.texts)
            _check_choices(choices, violations)
            return StructuredOutput(StructuredOutputKind.CHOICE, choices=choices)
        case name:
            text = getattr(message, name)
            if not 0 < len(text.encode()) <= _MAX_BYTES:
                violations.add(
                    f"{_PATH}.{name}",
                    f"must have 1 to {_MAX_BYTES} bytes, got {len(text.encode())}",
                )
            return StructuredOutput(StructuredOutputKind(name), text)


def _check_choices(choices: tuple[str, ...], violations: Violations) -> None:
    path = f"{_PATH}.choice.texts"
    if not 0 < len(choices) <= _MAX_CHOICES:
        violations.add(path, f"must have 1 to {_MAX_CHOICES} texts, got {len(choices)}")
    if sum(len(choice.encode()) for choice in choices) > _MAX_BYTES:
        violations.add(path, f"must have at most {_MAX_BYTES} bytes in all")
    for index, choice in enumerate(choices[:_MAX_CHOICES]):
        if not choice:
            violations.add(f"{path}[{index}]", "is empty")
