"""Checkpoints of random weights, end to end over gRPC: a family a kind always, more by night."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from service.domain.conversation import Modality
from tests.conformance.formats.checkpoints import AUDIO, IMAGE, VIDEO
from tests.conformance.formats.conftest import Families
from tests.conformance.formats.weights import write_weights
from tests.end_to_end.requests import MEDIA, ask, audio, image, kinds, text, video
from tests.real.running_model import serving

# The first test waits for the server too; a machine that others use needs minutes.
pytestmark = pytest.mark.timeout(900)

QUESTION = "What is this?"
MEDIA_OF = {
    IMAGE: ("picture.jpg", image),
    AUDIO: ("sound.wav", audio),
    VIDEO: ("clip.mp4", video),
}
ALWAYS = ("llava-1.5", "qwen2-audio", "qwen2-vl")
NIGHTLY = ("gemma-3", "pixtral", "idefics-3", "internvl-3", "llava-onevision")
NAMES = [*ALWAYS, *(pytest.param(name, marks=pytest.mark.nightly) for name in NIGHTLY)]


def _openai_messages(kind: Modality, file: Path) -> list[dict[str, Any]]:
    data = base64.b64encode(file.read_bytes()).decode()
    url = {"url": f"data:{kind}/{file.suffix.removeprefix('.')};base64,{data}"}
    parts = [{"type": f"{kind}_url", f"{kind}_url": url}, {"type": "text", "text": QUESTION}]
    return [{"role": "user", "content": parts}]


@pytest.mark.parametrize("name", NAMES)
def test_media_are_answered(families: Families, name: str) -> None:
    """The streams complete, and the prompts are as long as vLLM's own server has them."""
    family = families.open(name)
    write_weights(family.directory)
    with serving(family.directory, *family.checkpoint.engine_flags()) as generation:
        for kind in sorted(family.checkpoint.modalities):
            file, make_part = MEDIA_OF[kind]
            part = make_part((MEDIA / file).read_bytes())
            if kind is VIDEO and family.vllm.takes_32_frames():
                part.video.num_frames = 32
            request = ask(part, text(QUESTION), max_tokens=8)
            events = list(generation.Generate(request))

            seen = kinds(events)
            assert (seen[0], *seen[-2:]) == ("started", "output_finished", "completed")
            expected = family.vllm.ids_of(_openai_messages(kind, MEDIA / file))
            assert len(expected) == events[0].started.prompt_tokens
            assert events[-1].completed.usage.prompt_tokens == len(expected)
