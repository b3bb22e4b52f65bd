"""A transcript starts with the ids with which vLLM's transcription server starts it."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.conversation import PromptOptions
from tests.conformance.formats.checkpoints import AUDIO
from tests.conformance.formats.conftest import Families
from tests.conformance.formats.conversations import Case, user
from tests.conformance.formats.media import RATE_HZ, media

ANY_TASK = [("en", "transcribe"), ("de", "transcribe"), ("de", "translate")]


def _of_vllm(family: Any, language: str, task: str) -> list[int]:
    from vllm.config.speech_to_text import SpeechToTextConfig, SpeechToTextParams
    from vllm.model_executor.models.whisper import WhisperForConditionalGeneration
    from vllm.renderers.inputs.preprocess import parse_model_prompt

    config = family.vllm.model_config
    params = SpeechToTextParams(
        audio=media("audio 0").samples,  # type: ignore[union-attr]
        stt_config=SpeechToTextConfig(sample_rate=RATE_HZ),
        model_config=config,
        language=language,
        task_type=task,
    )
    prompt = WhisperForConditionalGeneration.get_generation_prompt(params)
    return family.vllm.ids_of_prompt(parse_model_prompt(config, prompt))


@pytest.mark.parametrize(("language", "task"), ANY_TASK)
def test_a_transcript_starts_as_vllms(families: Families, language: str, task: str) -> None:
    """What names a language is the caller's, and becomes a control token where it is trusted."""
    family = families.open("whisper")
    options = PromptOptions(
        trust_special_tokens=True, template_arguments={"language": language, "task": task}
    )
    ours = family.ours.token_ids(Case("", (user(AUDIO),), options))

    assert _of_vllm(family, language, task) == ours
