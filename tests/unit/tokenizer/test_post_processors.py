"""Post-processors with and without special tokens, against Hugging Face `tokenizers`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.tokenizer.hard_texts import PIECES
from tests.unit.tokenizer.running_sidecar import Sidecar
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

TEXTS = [*PIECES, "", "a", "a <|end|> b"]
PAIRS = [("a b", "c"), ("a", ""), ("", "é"), ("", ""), ("a b", None), ("<|end|>", "x <|end|>")]
BYTE_LEVEL: dict[str, object] = {
    "type": "ByteLevel",
    "add_prefix_space": True,
    "trim_offsets": True,
}
TOKENS = {
    "x": {"id": "x", "ids": [7, 8], "tokens": ["x", "y"]},
    "z": {"id": "another", "ids": [9], "tokens": ["q"]},
    "none": {"id": "none", "ids": [], "tokens": []},
}
A: dict[str, object] = {"Sequence": {"id": "A", "type_id": 0}}
B: dict[str, object] = {"Sequence": {"id": "B", "type_id": 1}}


def special(name: str, type_id: int = 0) -> dict[str, object]:
    """Return a special token of a template."""
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def template(
    single: list[dict[str, object]], pair: list[dict[str, object]] | None = None
) -> dict[str, object]:
    """Return a TemplateProcessing."""
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [A, B] if pair is None else pair,
        "special_tokens": TOKENS,
    }


def bert(kind: str, **members: object) -> dict[str, object]:
    """Return a BertProcessing or RobertaProcessing."""
    return {"type": kind, "sep": ["[SEP]", 5], "cls": ["[CLS]", 6]} | members


def sequence(*processors: dict[str, object]) -> dict[str, object]:
    """Return a Sequence."""
    return {"type": "Sequence", "processors": list(processors)}


TRIM = {"trim_offsets": True, "add_prefix_space": True}
PROCESSORS: list[dict[str, object] | None] = [
    *(None, BYTE_LEVEL, bert("BertProcessing"), bert("RobertaProcessing", **TRIM)),
    *(bert("BertProcessing", **TRIM), bert("RobertaProcessing")),
    *(template([special("x"), A, special("z", 3)]), template([A]), template([]), template([A, A])),
    *(template([special("none"), A, special("none")]), template([special("x")])),
    *(template([A], [A, special("x", 2), B, A]), template([A], [B]), template([A], [])),
    *(sequence(), sequence(BYTE_LEVEL), sequence(BYTE_LEVEL, template([special("x"), A]))),
    sequence(template([special("x"), A]), BYTE_LEVEL),
    sequence(template([special("x"), A]), template([A], [B, A, special("z")])),
    sequence(template([special("none"), A]), template([A], [B, A, special("z")])),
    sequence(template([special("x"), A, special("x")]), bert("BertProcessing")),
    sequence(template([special("x"), A, special("x")]), bert("RobertaProcessing", **TRIM)),
    sequence(bert("BertProcessing"), sequence(bert("BertProcessing"), template([A, A]))),
]


@pytest.mark.parametrize("post_processor", PROCESSORS, ids=str)
def test_post_processor(
    variant: Callable[..., Sidecar], post_processor: dict[str, object] | None
) -> None:
    """Each post-processor, alone and in sequences, puts special tokens where Hugging Face does."""
    sidecar = variant(post_processor=post_processor)

    sidecar.assert_agrees(TEXTS)
    sidecar.assert_agrees(TEXTS, add_special_tokens=True)
    for first, second in PAIRS:
        for add in (False, True):
            expected = sidecar.reference.encode(first, second, add_special_tokens=add)
            response = sidecar.stub.Encode(
                pb.EncodeRequest(
                    text=first.encode(),
                    pair=None if second is None else second.encode(),
                    add_special_tokens=add,
                    include_type_ids=True,
                )
            )
            assert expected.ids == list(response.token_ids), (first, second)
            assert expected.type_ids == list(response.type_ids), (first, second)


@pytest.mark.parametrize(
    ("post_processor", "message"),
    [
        (template([special("y"), A]), r'single\[0\].SpecialToken.id: "y" is not among'),
        (template([A, B]), r"single\[1\].Sequence.id: the template for one text asks"),
        (sequence(template([A, A, A]), template([A])), "post_processor: a template takes one text"),
    ],
    ids=["unknown token", "second text", "three parts"],
)
def test_what_would_panic_is_refused(
    variant: Callable[..., Sidecar], post_processor: dict[str, object], message: str
) -> None:
    """A file whose post-processor fails on every text in `tokenizers` does not load."""
    with pytest.raises(ValueError, match=message):
        variant(post_processor=post_processor)
