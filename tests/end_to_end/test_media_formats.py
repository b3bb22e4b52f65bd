"""One request with a file of every format that is served."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.media_parts import part_of_file
from tests.end_to_end.requests import answer, ask, text
from tests.unit.media.files import SAMPLE_NAMES, sample


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_a_file_of_each_format_is_answered(generation: Any, name: str) -> None:
    """It was fresh, it has tokens of its kind, and it was decoded now."""
    known = sample(name)

    whole = answer(generation, ask(part_of_file(known), text("What is this?"), max_tokens=8))

    (part,) = whole.started.parts
    assert part.field == f"conversation.messages[0].parts[0].{known.modality}"
    usage = whole.completed.usage
    assert part.tokens == getattr(usage, f"prompt_{known.modality}_tokens") > 0
    assert usage.prompt_tokens == part.tokens + usage.prompt_text_tokens
    assert whole.completed.timings.HasField("decode")
    assert whole.outputs[0].text
