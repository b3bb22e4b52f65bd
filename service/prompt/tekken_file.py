"""What a tekken.json, the tokenizer of Mistral's own format, tells of the prompts of its model.

Its tokens are the sidecar's business. Written in Mistral's library mistral-common, `Tekkenizer` and
`AudioConfig`.

Tested by tests/unit/prompt/test_tekken_file.py.
"""

from __future__ import annotations

from pathlib import Path

from service.errors import StartupError
from service.prompt.json_file import read_json

TEKKEN = "tekken.json"


def read_tekken_version(directory: Path) -> str:
    """Return the version of the prompts, such as `v7`; takes a quarter of a second.

    Raises StartupError where there is no such file, and for a model that listens to a stream.
    """
    file = directory / TEKKEN
    if not file.is_file():
        raise StartupError(
            f"{file} is missing: the prompts of models in Mistral's own format go by its version"
        )
    content = read_json(file)
    config, audio = content.get("config"), content.get("audio")
    version = config.get("version") if isinstance(config, dict) else None
    if not isinstance(version, str):
        raise StartupError(f"{file}: config.version must be a string such as v7")
    if isinstance(audio, dict) and audio.get("transcription_format") == "streaming":
        raise StartupError(
            f"{file}: the model listens to a stream (audio.transcription_format), which is not "
            "served; of Voxtral, the models that answer a whole sound are"
        )
    return version
