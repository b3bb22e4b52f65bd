"""Each family has one place for each medium, in reading order; a checkpoint tells its family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.domain.conversation import Conversation, Modality, Part
from service.errors import TemplateRefusedError
from service.prompt.formats import (
    FAMILIES,
    find_family,
    find_format,
    llava_onevision,
    qwen2_5_omni,
    qwen_vl,
)
from service.prompt.formats.family import Family
from service.prompt.renderer import choose_renderer
from tests.unit.prompt import templates
from tests.unit.prompt.templates import CHATML, DEMO_MODEL, audio, image, literals, user, video

DEMO = (DEMO_MODEL / "chat_template.jinja").read_text(encoding="utf-8")
OMNI_IMAGE, OMNI_VIDEO = (
    f"<|vision_bos|>{kind}<|vision_eos|>" for kind in ("<|IMAGE|>", "<|VIDEO|>")
)
OMNI_AUDIO = "<|audio_bos|><|AUDIO|><|audio_eos|>"
VL_IMAGE, VL_VIDEO = (
    f"<|vision_start|><|{kind}_pad|><|vision_end|>" for kind in ("image", "video")
)
TYPED = "".join(token for family in FAMILIES for token in family.placeholders.values())

VL = (qwen_vl.FAMILY, templates.QWEN2_VL)
OMNI = (qwen2_5_omni.FAMILY, templates.QWEN2_5_OMNI)
OUR_DEMO = (qwen2_5_omni.FAMILY, DEMO)


def render(family: tuple[Family, str], *parts: Part | str) -> tuple[str, list[str]]:
    """Return what a user's turn becomes, and what of it is the user's."""
    prompt = templates.render(family[1], user(*parts), family=family[0])
    system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    turn = prompt.text.removeprefix(f"{system}<|im_start|>user\n").removesuffix("<|im_end|>\n")
    return turn, literals(prompt)


@pytest.mark.parametrize(
    ("family", "parts", "expected"),
    [
        (VL, [image(), "a", video(2)], f"{VL_IMAGE}a{VL_VIDEO}"),
        (VL, [video(), video(1), "a", image(3)], f"{VL_VIDEO}{VL_VIDEO}a{VL_IMAGE}"),
        (VL, ["a"], "a"),
        *[
            (omni, parts, expected)
            for omni in (OMNI, OUR_DEMO)
            for parts, expected in (
                ([image(), audio(1), video(2), "a"], f"{OMNI_IMAGE}{OMNI_AUDIO}{OMNI_VIDEO}a"),
                ([audio(), "a", audio(2), image(3)], f"{OMNI_AUDIO}a{OMNI_AUDIO}{OMNI_IMAGE}"),
                (["a", video(1)], f"a{OMNI_VIDEO}"),
            )
        ],
    ],
)
def test_each_medium_has_its_place_in_order(
    family: tuple[Family, str], parts: list[Part | str], expected: str
) -> None:
    assert (expected, ["a"]) == render(family, *parts)


@pytest.mark.parametrize("family", [VL, OMNI, OUR_DEMO])
def test_typed_placeholders_are_text(family: tuple[Family, str]) -> None:
    """They take no medium's place, and none is missed for them."""
    picture, _ = render(family, image())

    assert (TYPED, [TYPED]) == render(family, TYPED)
    assert (f"{TYPED}{picture} {TYPED}", [TYPED, TYPED]) == render(
        family, TYPED, image(1), f" {TYPED}"
    )


MISFITS = [
    (VL, [audio(), "a"], "no media where the conversation has audio"),
    (VL, [image(), audio(1)], "image where the conversation has image, audio"),
    ((VL[0], OMNI[1]), [image()], "no media where the conversation has image"),
    ((VL[0], "<|image_pad|>" + VL[1]), ["a"], "image where the conversation has no media"),
    ((VL[0], VL[1] * 2), [image()], "image, image where the conversation has image"),
    (
        (OMNI[0], OMNI[1].replace("AUDIO", "VIDEO")),
        [audio()],
        "video where the conversation has audio",
    ),
    (
        (VL[0], VL[1].replace("message['content'] %}", "message['content'] | reverse %}")),
        [image(), "a", video(2)],
        "video, image where the conversation has image, video",
    ),
]


@pytest.mark.parametrize(("family", "parts", "problem"), MISFITS)
def test_media_without_their_places_are_refused(
    family: tuple[Family, str], parts: list[Part | str], problem: str
) -> None:
    """The refusal lists the places that the template wrote, and the media that there are."""
    with pytest.raises(TemplateRefusedError) as refusal:
        render(family, *parts)

    said = f"the model's chat template wrote places for {problem}"
    assert [("conversation", said)] == refusal.value.violations


def test_a_model_of_no_known_family_is_taken_at_its_word() -> None:
    """Where placeholders are not known, the engine counts them."""
    prompt = templates.render(
        "{% for m in messages %}{% for c in m.content %}{{ c.text }}{% endfor %}[img]{% endfor %}",
        user("a", image(1)),
    )

    assert "a[img]" == prompt.text


NUMBERED = Family(
    "numbered",
    frozenset({"numbered"}),
    {Modality.IMAGE: "<|image_{number}|>", Modality.AUDIO: "<sound>"},
    strings={Modality.AUDIO: "Sound {number}: <sound>"},
)


def test_places_are_found_in_order_whatever_their_number() -> None:
    text = "<sound> and <|image_1|><|image_20|>, but no <|image_x|>"
    places = [(0, Modality.AUDIO), (12, Modality.IMAGE), (23, Modality.IMAGE)]

    assert places == list(NUMBERED.find_places(text))
    assert [] == list(Family("none", frozenset(), {}).find_places(text))


def test_a_medium_in_plain_text_has_its_number() -> None:
    assert "<|image_2|>" == NUMBERED.string_for(Modality.IMAGE, 2)
    assert "Sound 1: <sound>" == NUMBERED.string_for(Modality.AUDIO, 1)
    assert NUMBERED.string_for(Modality.VIDEO, 1) is None


def test_a_format_is_found_by_its_name() -> None:
    assert FAMILIES == tuple(find_format(family.name) for family in FAMILIES)
    assert find_format("numbered") is None


def test_a_model_of_no_known_family_has_the_strings_of_its_engine(
    write_checkpoint: Callable[[dict[str, object]], Path],
) -> None:
    strings = {Modality.IMAGE: "<picture {number}>", Modality.AUDIO: None}
    renderer = choose_renderer(
        write_checkpoint({"chat_template.jinja": CHATML}),
        model_type="unheard_of",
        architecture="UnheardOf",
        placeholder_strings=strings,
    )
    conversation = Conversation((user("a", image(1), audio(2), image(3)),))
    prompt = renderer.render(conversation, templates.NO_CUE)

    assert "<|im_start|>user\n<picture 1>\n<picture 2>\na<|im_end|>\n" == prompt.text
    assert ["a"] == literals(prompt)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_found_by_each_of_its_model_types(family: Family) -> None:
    vision_type = next(iter(family.vision_types), "")

    assert [family] * len(family.model_types) == [
        find_family(name, vision_type) for name in family.model_types
    ]
    assert find_family("llama") is None


def test_two_families_of_one_model_type_are_told_apart() -> None:
    """Pixtral calls itself a LLaVA; its vision tower is its own."""
    assert "pixtral" == find_family("llava", "pixtral").name
    assert "llava-1.5" == find_family("llava", "clip_vision_model").name


IMAGES_FIRST = """{% for m in messages %}
{%- for part in m.content if part.type == 'image' %}<image>{% endfor %}
{%- for part in m.content if part.type == 'video' %}<video>{% endfor %}{% endfor %}"""


def test_a_family_may_put_kinds_in_an_order_of_its_own() -> None:
    parts = user(video(), image(1), video(2))
    prompt = templates.render(IMAGES_FIRST, parts, family=llava_onevision.FAMILY)

    assert "<image><video><video>" == prompt.text
    with pytest.raises(TemplateRefusedError):
        templates.render(
            IMAGES_FIRST.replace("image", "clip"), parts, family=llava_onevision.FAMILY
        )


@pytest.mark.parametrize(
    ("model_type", "files", "name", "reason"),
    [
        ("qwen2_vl", {}, "none", "the checkpoint has no chat template"),
        ("qwen2_5_vl", {"chat_template.jinja": CHATML}, "qwen-vl", "model_type is qwen2_5_vl"),
        ("qwen2_5_omni", {"chat_template.jinja": CHATML}, "qwen2.5-omni", "is qwen2_5_omni"),
        ("llama", {"chat_template.jinja": CHATML}, "chat-template", "Llama is not a family known"),
    ],
)
def test_the_format_and_its_reason_are_told(
    write_checkpoint: Callable[[dict[str, object]], Path],
    model_type: str,
    files: dict[str, object],
    name: str,
    reason: str,
) -> None:
    renderer = choose_renderer(write_checkpoint(files), model_type=model_type, architecture="Llama")

    assert name == renderer.prompt_format.name
    assert reason in renderer.prompt_format.reason
