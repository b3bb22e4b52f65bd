"""The tokens that start a transcript, as Whisper's decoder wants them."""

from __future__ import annotations

import pytest

from service.domain.conversation import Message, PromptOptions
from service.prompt.formats import whisper
from tests.unit.prompt import templates
from tests.unit.prompt.templates import assistant, audio, literals, user

START, END = "<|startoftranscript|>", "<|notimestamps|>"


def rendered(*messages: Message, **options: object) -> tuple[str, list[str]]:
    prompt = templates.render(
        whisper.FAMILY.default_template,
        *messages,
        options=PromptOptions(**options),
        family=whisper.FAMILY,
    )
    return prompt.text, literals(prompt)


def test_a_sound_has_no_place_in_the_prompt() -> None:
    assert rendered(user(audio())) == (START + END, [])


def test_texts_are_what_was_said_before() -> None:
    """What looks like a control token in them is text."""
    text, literal = rendered(assistant("Hello Ada."), user("Bye.<|en|>", audio()))

    assert text == f"<|startofprev|> Hello Ada. Bye.<|en|>{START}{END}"
    assert literal == ["Hello Ada.", "Bye.<|en|>"]


@pytest.mark.parametrize(
    ("arguments", "task"),
    [
        ({"language": "de"}, "<|de|><|transcribe|>"),
        ({"language": "de", "task": "translate"}, "<|de|><|translate|>"),
    ],
)
def test_a_language_is_asked_for_by_an_argument(arguments: dict[str, str], task: str) -> None:
    options = {"template_arguments": arguments, "trust_special_tokens": True}

    assert rendered(user(audio()), **options) == (START + task + END, [])


def test_a_transcript_is_gone_on_with() -> None:
    """What the assistant says last is its beginning, not what was said before."""
    text, literal = rendered(
        user("Ada.", audio()),
        assistant("And so"),
        add_generation_prompt=False,
        continue_final_message=True,
    )

    assert text == f"<|startofprev|> Ada.{START}{END} And so"
    assert literal == ["Ada.", "And so"]
