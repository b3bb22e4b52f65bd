"""Checks JSON that callers send as a text, before anything goes through it.

How deep it nests is counted first: Python's parser is recursive, and so is what comes after it.

Tested by tests/unit/rpc/test_tools.py.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import NoReturn

from service.rpc.violations import Violations

MAX_JSON_BYTES = 1 << 20
# As many as vLLM takes of a JSON Schema.
MAX_JSON_LEVELS = 64
# A string that is never closed ends with the text.
_NO_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[^"\[\]{}]+', re.DOTALL)
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def check_json_object(field: str, text: str, violations: Violations) -> None:
    """Demand a JSON object (RFC 8259) that is neither too large nor too deep."""
    if len(text) > MAX_JSON_BYTES:
        violations.add(field, f"must have at most {MAX_JSON_BYTES} characters, got {len(text)}")
    elif _levels(text) > MAX_JSON_LEVELS:
        violations.add(field, f"must nest at most {MAX_JSON_LEVELS} levels deep")
    else:
        try:
            value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
            # Half a pair, as in "\ud83d", is JSON, but no Unicode.
            json.dumps(value, ensure_ascii=False).encode()
        except ValueError as exc:
            violations.add(field, f"is not JSON: {exc}")
        else:
            if not isinstance(value, dict):
                violations.add(field, "must be a JSON object")


def _levels(text: str) -> int:
    brackets = _NO_BRACKETS.sub("", text)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number
