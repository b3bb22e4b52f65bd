"""Code that the tests put into checkpoints of families whose real ones come with code of their own.

Written from what vLLM 0.32's class of the model calls and reads, never from the real checkpoints:
enough for the model to load and for its media to have the sizes that vLLM counts. How a picture is
scaled or a sound is turned into features does not matter to the ids of a prompt.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def write_code(directory: Path, module: str) -> None:
    """Put a module of this package into a checkpoint, where an `auto_map` finds it."""
    shutil.copy(_HERE / f"{module}.py", directory)


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write one of a checkpoint's settings files."""
    file.write_text(json.dumps(content), encoding="utf-8")
