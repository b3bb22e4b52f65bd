"""The prompts of Mistral's own format go by the version that tekken.json tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.domain.conversation import Conversation, Message, Role, TextPart
from service.errors import StartupError
from service.prompt.renderer import choose_renderer
from tests.unit.prompt.templates import CONTINUE, NO_CUE, assistant, image, literals, user

WriteCheckpoint = Callable[[dict[str, object]], Path]
V3, V7, V13 = ({"tekken.json": {"config": {"version": name}}} for name in ("v3", "v7", "v13"))
SHIPPED = {"chat_template.jinja": "the checkpoint's own"}
ASKED = Conversation(
    (Message(Role.SYSTEM, (TextPart("s"),)), user("[INST]", image(1))),
)


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (V3, "<s>[INST]s\n\n[IMG][INST][/INST]"),
        (V7, "<s>[SYSTEM_PROMPT]s[/SYSTEM_PROMPT][INST][IMG][INST][/INST]"),
        (V13 | SHIPPED, "<s>[SYSTEM_PROMPT]s[/SYSTEM_PROMPT][INST][IMG][INST][/INST]"),
    ],
)
def test_the_version_tells_the_form(
    write_checkpoint: WriteCheckpoint, files: dict[str, object], text: str
) -> None:
    """Also where the checkpoint has a template: vLLM looks at none. What a user types is text."""
    renderer = choose_renderer(write_checkpoint(files), model_type="pixtral", architecture="")
    prompt = renderer.render(ASKED, NO_CUE)

    assert text == prompt.text
    assert ["s", "[INST]"] == literals(prompt)
    assert "pixtral-mistral" == renderer.prompt_format.name
    assert "from Mistral's format of tekken v" in renderer.prompt_format.reason


def test_the_operators_template_comes_first(write_checkpoint: WriteCheckpoint) -> None:
    directory = write_checkpoint(V7 | SHIPPED)
    renderer = choose_renderer(
        directory,
        model_type="transformer",
        architecture="",
        template_file=directory / "chat_template.jinja",
    )

    assert "the checkpoint's own" == renderer.render(Conversation((user("a"),)), NO_CUE).text


@pytest.mark.parametrize(
    ("begun", "left"), [("b  ", "b"), ("b:\n", "b:\n"), (" b", " b"), ("b</s>", "b</s>")]
)
def test_an_answer_begun_loses_only_its_last_spaces(
    write_checkpoint: WriteCheckpoint, begun: str, left: str
) -> None:
    renderer = choose_renderer(write_checkpoint(V7), model_type="transformer", architecture="")
    prompt = renderer.render(Conversation((user("a"), assistant(begun))), CONTINUE)

    assert f"<s>[INST]a[/INST]{left}" == prompt.text


@pytest.mark.parametrize(
    ("model_type", "files", "complaint"),
    [
        ("pixtral", {}, "tekken.json is missing: the prompts of models in Mistral's own"),
        ("pixtral", {"tekken.json": {}}, "config.version must be a string such as v7"),
        ("pixtral", {"tekken.json": {"config": {"version": 7}}}, "must be a string such as v7"),
        ("pixtral", {"tekken.json": {"config": {"version": "v15"}}}, "v15, whose prompts are not"),
        ("voxtral", V3, "known are v7, v11, v13"),
        (
            "voxtral",
            {"tekken.json": V13["tekken.json"] | {"audio": {"transcription_format": "streaming"}}},
            "the model listens to a stream",
        ),
    ],
)
def test_what_is_not_known_stops_the_start(
    write_checkpoint: WriteCheckpoint, model_type: str, files: dict[str, object], complaint: str
) -> None:
    with pytest.raises(StartupError, match=complaint):
        choose_renderer(write_checkpoint(files), model_type=model_type, architecture="")
