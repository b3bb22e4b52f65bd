"""A checkpoint in Mistral's own format, served without a flag that says so, and asked over gRPC."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.domain.conversation import Modality
from tests.conformance.formats.checkpoints import AUDIO, IMAGE
from tests.conformance.formats.families.mistral_own import CHECKPOINTS
from tests.conformance.formats.mistral_weights import write_consolidated
from tests.end_to_end.requests import MEDIA, ask, audio, image, kinds, text
from tests.real.running_model import serving

# The first test waits for the server too; a machine that others use needs minutes.
pytestmark = [pytest.mark.timeout(900), pytest.mark.nightly]

QUESTION = "Which of them is better?"
SERVED = {"pixtral-v3": IMAGE, "mistral-small-v7": IMAGE, "voxtral-v11": AUDIO}
FILES = {IMAGE: ("picture.jpg", image), AUDIO: ("sound.wav", audio)}


@pytest.fixture
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The checkpoint that the test's parameter names, with weights."""
    CHECKPOINTS[request.param].make(tmp_path)
    write_consolidated(tmp_path)
    return tmp_path


def _expected_ids(directory: Path, kind: Modality, file: Path) -> list[int]:
    from service.engine.engine_args import parse_engine_args
    from tests.conformance.formats.vllm_prompts import VllmPrompts

    data = base64.b64encode(file.read_bytes()).decode()
    url = {"url": f"data:{kind}/{file.suffix.removeprefix('.')};base64,{data}"}
    medium: dict[str, Any] = {"type": f"{kind}_url", f"{kind}_url": url}
    question = {"type": "text", "text": QUESTION}
    config = parse_engine_args(str(directory), FLAGS).create_engine_config()
    return VllmPrompts(config).ids_of([{"role": "user", "content": [medium, question, medium]}])


FLAGS = ["--max-model-len", "4096"]


@pytest.mark.parametrize(
    ("directory", "kind"), SERVED.items(), indirect=["directory"], ids=list(SERVED)
)
def test_media_are_answered(directory: Path, kind: Modality) -> None:
    """The stream completes, and the prompt is as long as vLLM's own server has it."""
    name, part = FILES[kind]
    medium = part((MEDIA / name).read_bytes())
    with serving(directory, *FLAGS) as generation:
        request = ask(medium, text(QUESTION), medium, max_tokens=8)
        events = list(generation.Generate(request))

    seen = kinds(events)
    assert (seen[0], *seen[-2:]) == ("started", "output_finished", "completed")
    expected = len(_expected_ids(directory, kind, MEDIA / name))
    assert expected == events[0].started.prompt_tokens
    assert expected == events[-1].completed.usage.prompt_tokens
