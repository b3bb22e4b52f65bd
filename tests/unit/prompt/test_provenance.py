"""Marks find what a caller wrote, whatever is done to the texts between marking and unmarking."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from random import Random

import pytest

from service.domain.prompt import ByteSpan
from service.errors import TemplateRefusedError
from service.prompt.provenance import Marker, Unmarked

UNCUT = None
THINK = re.compile("</think>|<think>")
WORDS = re.compile(r"\s+")

# Look-alikes of control tokens and of marks, odd spaces, and characters of one to four bytes.
HARD = ["<|im_end|>", "</think>", "<think>", "\ue0a0", "\ue0a10;\ue0a2", " ", "\n\n", "\t", "\xa0"]
HARD += ["\u2028", "ä", "中", "👨‍👩‍👧", "e\u0301", "0", "12", "a", "Bc", '"', "\\", "&", ""]


def follow(
    separators: re.Pattern[str] | None, template: Callable[..., str], *texts: str
) -> Unmarked | None:
    """Mark the texts, hand them to the template, and unmark what it gives."""
    marker = Marker(separators)
    return marker.unmark(template(*map(marker.mark, texts)))


def literals(unmarked: Unmarked) -> list[str]:
    """Return what was found to be the caller's."""
    return [unmarked.text[start:end] for start, end in unmarked.spans]


FOLLOWED = {
    "as it is": (lambda t: f"<{t}>", ["a  b\nc"]),
    "trimmed": (lambda t: f"<{t.strip()}>", ["a  b\nc"]),
    "trimmed at one end": (lambda t: f"<{t.lstrip()}>", ["a  b\nc"]),
    "repeated": (lambda t: f"<{t}|{t}>", ["a  b\nc", "a  b\nc"]),
    "repeated side by side": (lambda t: f"<{t.strip() * 2}>", ["a  b\nca  b\nc"]),
    "dropped": (lambda t: "<>", []),
    "in capitals": (lambda t: f"<{t.upper()}>", ["A  B\nC"]),
    "changed inside": (lambda t: f"<{t.replace(' ', '<|space|>')}>", ["a<|space|><|space|>b\nc"]),
    "escaped for JSON": (lambda t: json.dumps([t], ensure_ascii=False), ["a  b\\nc"]),
    "escaped for HTML": (lambda t: html.escape(f"<{t}>"), ["a  b\nc"]),
    "character by character": (lambda t: "".join(character for character in t), ["a  b\nc"]),
}


@pytest.mark.parametrize(("template", "expected"), FOLLOWED.values(), ids=FOLLOWED.keys())
def test_a_whole_text_is_followed(template: Callable[[str], str], expected: list[str]) -> None:
    """Between its marks a text is the caller's, also where the template changes it."""
    text = " \n a  b\nc \t"
    unmarked = follow(UNCUT, template, text)

    assert unmarked is not None
    assert template(text) == unmarked.text
    assert expected == literals(unmarked)


CUT = {
    "not cut": (lambda t: t, ["<think> a\n</think>\n\nb<think>c"]),
    "what follows": (lambda t: f"<{t.split('</think>')[-1].lstrip()}>", ["b<think>c"]),
    "what comes before": (lambda t: f"<{t.split('</think>')[0].rstrip()}>", ["<think> a"]),
    "what is between": (lambda t: re.split(THINK, t)[1].strip(), ["a"]),
    "all, in one": (lambda t: "".join(re.split(THINK, t)), ["a", "bc"]),
    "side by side": (lambda t: re.split(THINK, t)[1].strip() + "b", ["a"]),
    "joined by the template": (lambda t: "<|x|>".join(re.split(THINK, t)), ["a", "b", "c"]),
    "the other way around": (lambda t: "|".join(re.split(THINK, t)[::-1]), ["c", "b", "a"]),
}


@pytest.mark.parametrize(("template", "expected"), CUT.values(), ids=CUT.keys())
def test_each_piece_of_a_cut_text_is_followed(
    template: Callable[[str], str], expected: list[str]
) -> None:
    """A piece that stays is the caller's; what the template puts between pieces is its own."""
    text = "<think> a\n</think>\n\nb<think>c"
    unmarked = follow(THINK, template, text)

    assert unmarked is not None
    assert template(text) == unmarked.text
    assert expected == literals(unmarked)


@pytest.mark.parametrize("text", ["<|im_end|>", "a <|im_end|> b", "<|im_end|>\n<|im_end|>", "a"])
def test_words_are_followed(text: str) -> None:
    """No word is lost when a text is cut at its spaces."""
    unmarked = follow(WORDS, lambda t: f"[{']['.join(t.split())}]", text)

    assert unmarked is not None
    assert text.split() == literals(unmarked)


@pytest.mark.parametrize(
    "template",
    [
        lambda t: t.split("z")[0],
        lambda t: t.split("z")[1],
        lambda t: t.split("z")[0] + t,
        lambda t: t.split("z")[1] + t.split("z")[0],
        lambda t: t.replace("z", t),
    ],
)
def test_a_cut_through_a_piece_is_noticed(template: Callable[[str], str]) -> None:
    """A piece without one of its marks, or with marks inside, cannot be followed."""
    assert follow(THINK, template, "abczdef") is None


@pytest.mark.parametrize("text", ["", " ", "\n\t\n"])
def test_spaces_alone_are_nobodys(text: str) -> None:
    assert Unmarked(f"<{text}>", ()) == follow(THINK, lambda t: f"<{t}>", text)


def test_texts_side_by_side_are_one_span() -> None:
    """What only both together spell is the caller's too."""
    assert Unmarked("<|im_end|>.", ((0, 10),)) == follow(
        UNCUT, lambda one, two: f"{one}{two}.", "<|im_", "end|>"
    )


@pytest.mark.parametrize("separators", [UNCUT, THINK, WORDS])
def test_hard_texts_are_found_to_the_byte(separators: re.Pattern[str] | None) -> None:
    """Spans are those of the texts themselves, without the spaces around them."""
    random = Random(7)
    for _ in range(300):
        texts = ["".join(random.choices(HARD, k=random.randrange(7))) for _ in range(3)]
        unmarked = follow(separators, lambda *marked: "".join(f"ä[{t}]" for t in marked), *texts)
        expected, offset = [], 0
        for text in texts:
            start = offset + len("ä[") + 1 + len(text[: len(text) - len(text.lstrip())].encode())
            offset += len(f"ä[{text}]".encode())
            if core := text.strip():
                expected.append(ByteSpan(start, start + len(core.encode())))
        assert unmarked is not None
        assert "".join(f"ä[{text}]" for text in texts) == unmarked.text
        assert tuple(expected) == unmarked.byte_spans()


def test_what_the_template_wrote_is_told_from_what_the_caller_wrote() -> None:
    """Nothing is spelled by both together."""
    unmarked = follow(UNCUT, lambda one, two: f"<im{one}][{two}", "age>", "<image>")

    assert unmarked is not None
    assert "<im\0][\0" == unmarked.template_text()
    assert "a" == Unmarked("a", ()).template_text()


@pytest.mark.parametrize(
    "template",
    [
        lambda t: t.replace("\ue0a0", ""),
        lambda t: t.replace("\ue0a2", ""),
        lambda t: t.replace("\ue0a2", "1\ue0a2"),
        lambda t: t.replace("\ue0a2", "9" * 5000 + "\ue0a2"),
        lambda t: t.replace("\ue0a2", "x\ue0a2"),
        lambda t: t.replace("\ue0a2", "\u0660\ue0a2"),
        lambda t: t + t[:-1],
    ],
)
def test_half_a_mark_is_noticed(template: Callable[[str], str]) -> None:
    assert follow(UNCUT, template, "a") is None


def test_pieces_are_bounded() -> None:
    """Half a million have to do; a text without separators is one."""
    text = "a " * 500_001
    with pytest.raises(TemplateRefusedError, match="have more than 500000 pieces"):
        Marker(WORDS).mark(text)

    assert text.strip() in Marker(UNCUT).mark(text)
