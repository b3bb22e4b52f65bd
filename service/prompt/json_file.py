"""A checkpoint's JSON files. Tested by tests/unit/prompt/test_checkpoint.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.errors import StartupError


def read_json(path: Path) -> dict[str, Any]:
    """Return a file's object, or an empty one where there is no file; raises StartupError."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise StartupError(f"{path} is not a JSON file: {exc}") from exc
    if not isinstance(content, dict):
        raise StartupError(f"{path} must hold a JSON object")
    return content
