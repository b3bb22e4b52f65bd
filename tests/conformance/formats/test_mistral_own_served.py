"""A checkpoint in Mistral's own format, served without a flag that says so, and asked over gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.conversation import Modality
from tests.conformance.formats.checkpoints import AUDIO, IMAGE
from tests.conformance.formats.conversations import Case, user
from tests.conformance.formats.families.mistral_own import CHECKPOINTS
from tests.conformance.formats.media_files import file_of, url_of
from tests.conformance.formats.mistral_weights import write_consolidated
from tests.end_to_end.requests import ask, audio, image, kinds, text
from tests.real.running_model import serving

# The first test waits for the server too; a machine that others use needs minutes.
pytestmark = [pytest.mark.timeout(900), pytest.mark.nightly]

QUESTION = "Which of them is better?"
SERVED = {
    "pixtral-v3": IMAGE,
    "mistral-small-v7": IMAGE,
    "voxtral-v11": AUDIO,
    "mistral-text-v13": None,
}
PARTS = {IMAGE: image, AUDIO: audio}
FLAGS = ["--max-model-len", "4096"]


@pytest.fixture
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The checkpoint that the test's parameter names, with weights."""
    CHECKPOINTS[request.param].make(tmp_path)
    write_consolidated(tmp_path)
    return tmp_path


def _expected_ids(directory: Path, kind: Modality | None) -> list[int]:
    from service.engine.engine_args import parse_engine_args
    from tests.conformance.formats.vllm_prompts import VllmPrompts

    media = [kind, kind] if kind else []
    case = Case("two media behind a question", (user(QUESTION, *media),))
    config = parse_engine_args(str(directory), FLAGS).create_engine_config()
    return VllmPrompts(config).token_ids(case, url_of)


@pytest.mark.parametrize(
    ("directory", "kind"), SERVED.items(), indirect=["directory"], ids=list(SERVED)
)
def test_a_question_is_answered(directory: Path, kind: Modality | None) -> None:
    """The stream completes, and the prompt is as long as vLLM's own server has it."""
    media = [PARTS[kind](file_of(f"{kind} {number}")) for number in range(2)] if kind else []
    with serving(directory, *FLAGS) as generation:
        request = ask(text(QUESTION), *media, max_tokens=8)
        events = list(generation.Generate(request))

    seen = kinds(events)
    assert (seen[0], *seen[-2:]) == ("started", "output_finished", "completed")
    expected = len(_expected_ids(directory, kind))
    assert expected == events[0].started.prompt_tokens
    assert expected == events[-1].completed.usage.prompt_tokens
