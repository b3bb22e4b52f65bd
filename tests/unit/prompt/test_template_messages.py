"""A template for strings gets each message as vLLM gives it: media in front, texts in lines."""

from __future__ import annotations

import pytest

from service.domain.conversation import Conversation, Message, Modality, Part, PromptOptions
from service.errors import TemplateRefusedError
from service.prompt.formats.family import Family
from service.prompt.template_messages import to_part_messages, to_string_messages
from tests.unit.prompt import templates
from tests.unit.prompt.templates import assistant, audio, image, literals, user, video

FAMILY = Family(
    "numbered",
    frozenset(),
    {Modality.IMAGE: "<|image_{number}|>", Modality.AUDIO: "<sound>", Modality.VIDEO: "<film>"},
    strings={Modality.AUDIO: "Sound {number}: <sound>"},
)
PUTTING_IT_IN_ITSELF = Family(
    "silent", frozenset(), {Modality.AUDIO: "<sound>"}, unwritten=frozenset({Modality.IMAGE})
)


def contents(
    *messages: Message, family: Family | None = FAMILY, trusted: bool = False
) -> list[str]:
    """Return what each message becomes; each text is in brackets."""
    given = to_string_messages(
        Conversation(messages), family, lambda text: f"[{text}]", trusted=trusted
    )
    return [message["content"] for message in given]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["a"], "[a]"),
        (["a", "b"], "[a]\n[b]"),
        (["a", "", " "], "[a]\n[ ]"),
        ([""], ""),
        ([image()], "<|image_1|>"),
        ([image(), "a"], "<|image_1|>\n[a]"),
        (["a", image(1)], "<|image_1|>\n[a]"),
        (["a", image(1), "b", image(3)], "<|image_1|>\n<|image_2|>\n[a]\n[b]"),
        ([audio(), "a"], "Sound 1: <sound>\n[a]"),
        (
            [image(), audio(1), image(2), "a", video(4), audio(5)],
            "<|image_1|>\n<|image_2|>\nSound 1: <sound>\nSound 2: <sound>\n<film>\n[a]",
        ),
    ],
)
def test_media_stand_in_front_kinds_together(parts: list[Part | str], expected: str) -> None:
    """Empty texts are left out; the order of kinds is that of their first."""
    assert [expected] == contents(user(*parts))


def test_numbers_go_on_from_message_to_message() -> None:
    assert ["<|image_1|>\n[a]", "[b]", "Sound 1: <sound>\n<|image_2|>"] == contents(
        user(image(), "a"), assistant("b"), user(audio(), image(1))
    )


def test_a_kind_that_the_processor_puts_in_has_no_place() -> None:
    assert ["<sound>\n[a]"] == contents(user(image(), "a", audio(2)), family=PUTTING_IT_IN_ITSELF)


@pytest.mark.parametrize("family", [None, PUTTING_IT_IN_ITSELF])
def test_a_medium_without_a_known_place_is_refused(family: Family | None) -> None:
    """The field is the medium's."""
    with pytest.raises(TemplateRefusedError, match=r"^conversation.messages\[0\].parts\[1\].video"):
        contents(user("a", video(1)), family=family)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["see <|image_1|>", image(1)], "[see <|image_1|>]"),
        (["see <|image_2|>", image(1), image(2)], "<|image_1|>\n[see <|image_2|>]"),
        (["see <film>", video(1), video(2)], "<film>\n[see <film>]"),
    ],
)
def test_a_trusted_text_may_hold_places_itself(parts: list[Part | str], expected: str) -> None:
    """Only those that it lacks are put in front."""
    assert [expected] == contents(user(*parts), trusted=True)


def test_more_places_than_media_are_counted() -> None:
    with pytest.raises(TemplateRefusedError, match="has 2 times '<film>', but 1 such media"):
        contents(user("<film><film>", video(1)), trusted=True)


def test_typed_places_are_text() -> None:
    """Of a text that is not trusted they take nothing's place."""
    prompt = templates.render(templates.CHATML, user("<|image_1|> <film>", image(1)), family=FAMILY)

    assert "<|im_start|>user\n<|image_1|>\n<|image_1|> <film><|im_end|>\n" == prompt.text
    assert ["<|image_1|> <film>"] == literals(prompt)


def test_a_trusting_request_is_rendered_with_the_places_that_it_typed() -> None:
    trusting = PromptOptions(add_generation_prompt=False, trust_special_tokens=True)
    prompt = templates.render(
        templates.CHATML, user("see <film>", video(1)), options=trusting, family=FAMILY
    )

    assert "<|im_start|>user\nsee <film><|im_end|>\n" == prompt.text


def test_kinds_that_the_template_puts_together_are_no_disorder() -> None:
    prompt = templates.render(
        templates.CHATML, user(image(), audio(1), "a", image(3)), family=FAMILY
    )

    assert prompt.text == (
        "<|im_start|>user\n<|image_1|>\n<|image_2|>\nSound 1: <sound>\na<|im_end|>\n"
    )
    assert ["a"] == literals(prompt)


def test_parts_keep_their_order() -> None:
    given = to_part_messages(Conversation((user("a", image(1), ""),)), str.upper)

    assert given == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "A"},
                {"type": "image"},
                {"type": "text", "text": ""},
            ],
        }
    ]
