"""One family a modality, end to end: a checkpoint of random weights, asked over gRPC."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.formats.conftest import Families
from tests.conformance.formats.weights import write_weights
from tests.end_to_end.requests import MEDIA, ask, audio, image, kinds, text, video
from tests.real.running_model import serving

# The first test waits for the server too; a machine that others use needs minutes.
pytestmark = pytest.mark.timeout(900)

QUESTION = "What is this?"
PICTURE = ("image", "picture.jpg", image)
SOUND = ("audio", "sound.wav", audio)
CLIP = ("video", "clip.mp4", video)
ALWAYS = {"llava-1.5": PICTURE, "qwen2-audio": SOUND}
NIGHTLY = {
    "qwen2-vl": CLIP,
    "gemma-3": PICTURE,
    "pixtral": PICTURE,
    "idefics-3": PICTURE,
    "internvl-3": PICTURE,
    "llava-onevision": PICTURE,
}
SERVED = ALWAYS | NIGHTLY
NAMES = [*ALWAYS, *(pytest.param(name, marks=pytest.mark.nightly) for name in NIGHTLY)]


def _openai_messages(kind: str, file: Path) -> list[dict[str, Any]]:
    data = base64.b64encode(file.read_bytes()).decode()
    url = {"url": f"data:{kind}/{file.suffix.removeprefix('.')};base64,{data}"}
    parts = [{"type": f"{kind}_url", f"{kind}_url": url}, {"type": "text", "text": QUESTION}]
    return [{"role": "user", "content": parts}]


@pytest.mark.parametrize("name", NAMES)
def test_a_medium_is_answered(families: Families, name: str) -> None:
    """The stream completes, and the prompt is as long as vLLM's own server has it."""
    kind, file, part = SERVED[name]
    family = families.open(name)
    write_weights(family.directory)
    flags = family.checkpoint.engine_flags()
    with serving(family.directory, *flags) as generation:
        request = ask(part((MEDIA / file).read_bytes()), text(QUESTION), max_tokens=8)
        events = list(generation.Generate(request))

    seen = kinds(events)
    assert (seen[0], *seen[-2:]) == ("started", "output_finished", "completed")
    expected = family.vllm.ids_of(_openai_messages(kind, MEDIA / file))
    assert len(expected) == events[0].started.prompt_tokens
    assert events[-1].completed.usage.prompt_tokens == len(expected)
