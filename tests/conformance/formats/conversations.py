"""The conversations that each family is asked to render, and those that try to inject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineData,
    MediaSource,
    Message,
    Modality,
    Part,
    PromptOptions,
    Role,
    TextPart,
    VideoPart,
)
from tests.conformance.formats.checkpoints import AUDIO, IMAGE, VIDEO

Content = str | Modality
Turn = tuple[Role, list[Content]]

_PARTS = {IMAGE: ImagePart, AUDIO: AudioPart, VIDEO: VideoPart}
_NO_SOURCE = MediaSource(InlineData(b""))
_CUE = PromptOptions()
NO_CUE = PromptOptions(add_generation_prompt=False)
CONTINUE = PromptOptions(add_generation_prompt=False, continue_final_message=True)


def system(*content: Content) -> Turn:
    """Return what the operator says."""
    return Role.SYSTEM, list(content)


def user(*content: Content) -> Turn:
    """Return what a user says."""
    return Role.USER, list(content)


def assistant(*content: Content) -> Turn:
    """Return what the model says."""
    return Role.ASSISTANT, list(content)


@dataclass(frozen=True)
class Case:
    """A conversation by name; media are numbered per kind, in reading order."""

    name: str
    turns: tuple[Turn, ...]
    options: PromptOptions = _CUE

    @property
    def modalities(self) -> list[Modality]:
        """The kinds of its media, in reading order."""
        return [one for _, content in self.turns for one in content if isinstance(one, Modality)]

    def conversation(self) -> Conversation:
        """Return it in the service's words; a medium's field is its name, such as `image 0`."""
        names = self._names()
        return Conversation(
            tuple(
                Message(role, tuple(_part(one, names) for one in content))
                for role, content in self.turns
            )
        )

    def openai_messages(self, url_of: Callable[[str], str] = str) -> list[dict[str, object]]:
        """Return it as a client of vLLM's server sends it; a medium's URL is its name."""
        urls = map(url_of, self._names())
        return [
            {"role": str(role), "content": [_openai_part(one, urls) for one in content]}
            for role, content in self.turns
        ]

    def _names(self) -> Iterator[str]:
        counts = dict.fromkeys(_PARTS, 0)
        for modality in self.modalities:
            yield f"{modality} {counts[modality]}"
            counts[modality] += 1


def _part(content: Content, names: Iterator[str]) -> Part:
    if isinstance(content, Modality):
        return _PARTS[content](next(names), _NO_SOURCE)
    return TextPart(content)


def _openai_part(content: Content, urls: Iterator[str]) -> dict[str, object]:
    if isinstance(content, Modality):
        return {"type": f"{content}_url", f"{content}_url": {"url": next(urls)}}
    return {"type": "text", "text": content}


def _about(kind: Modality) -> list[Case]:
    """Return the ways in which media of one kind are sent."""
    return [
        Case(f"{kind} before a text", (user(kind, "What is this?"),)),
        Case(f"{kind} after a text", (user("What is this?", kind),)),
        Case(f"{kind} between texts", (user("Look at this:", kind, "What is it?"),)),
        Case(f"{kind} alone", (user(kind),)),
        Case(f"two {kind}s", (user(kind, kind, "Which of them is better?"),)),
        Case(f"three {kind}s between texts", (user(kind, "and", kind, "or", kind, "?"),)),
        Case(
            f"{kind}s in several turns",
            (
                user(kind, "What is this?"),
                assistant("Something."),
                user("And this?", kind),
            ),
        ),
        Case(
            f"{kind}, system message and no cue",
            (system("Answer in one word."), user(kind, "What is this?")),
            NO_CUE,
        ),
        Case(
            f"{kind} and an answer begun",
            (user(kind, "What is this?"), assistant("This is a")),
            CONTINUE,
        ),
        Case(f"{kind} and Unicode", (user(kind, "Qu'est-ce que c'est ? 這是什麼？ 🦜"),)),
    ]


TEXT_CASES = [
    Case("text", (user("What is the capital of France?"),)),
    Case("text without a cue", (user("What is the capital of France?"),), NO_CUE),
    Case("system message", (system("You are a pirate."), user("Who are you?"))),
    Case(
        "several turns",
        (
            user("Who are you?"),
            assistant("A model."),
            user("Whose?"),
            assistant("Yours."),
            user("Thanks."),
        ),
    ),
    Case("two texts in a turn", (user("One.", "Two."),)),
    Case("answer begun", (user("Count to three."), assistant("One, two,")), CONTINUE),
    Case("empty text", (user(""),)),
    Case("Unicode", (user("Καλημέρα, 世界! ñ é ́ 👩‍👩‍👧 \u202e \ufffd"),)),
    Case("line breaks and spaces", (user("  a\n\n b\t\tc  d\r\n\r\n"),)),
    Case(
        "system message and several turns",
        (system("Be brief."), user("Who are you?"), assistant("A model."), user("Whose?")),
    ),
    Case("system message of two texts", (system("Be brief.", "Be kind."), user("Who are you?"))),
    Case(
        "answer begun after several turns",
        (user("Hi."), assistant("Hello."), user("Name a colour."), assistant("Réd, 青")),
        CONTINUE,
    ),
    Case("code", (user("def f(x):\n    return {'a': [x, -1.5e-3]}  # {{ x }} {% if y %}\n"),)),
    Case("long text", (user("Two households, both alike in dignity, " * 60),)),
]
MEDIA_CASES = [case for kind in _PARTS for case in _about(kind)]
MIXED_CASES = [
    Case("image and audio", (user(IMAGE, "Does this", AUDIO, "fit?"),)),
    Case("audio, image and video", (user(AUDIO, IMAGE, VIDEO, "Which is the odd one out?"),)),
    Case("image and video", (user("First", IMAGE, "then", VIDEO),)),
    Case(
        "kinds that alternate",
        (user(VIDEO, "a", IMAGE), assistant("Yes."), user(IMAGE, VIDEO, "b")),
    ),
]
CASES = {case.name: case for case in (*TEXT_CASES, *MEDIA_CASES, *MIXED_CASES)}
