"""Each pre-tokenizer with each option, alone and in sequences, against Hugging Face."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest

from tests.unit.tokenizer.hard_texts import PIECES, every_code_point, random_texts
from tests.unit.tokenizer.running_sidecar import Sidecar, serve
from tests.unit.tokenizer.visible_pieces import assert_pieces_agree, save_pieces_tokenizer

Step = dict[str, object]

TEXTS = [
    *(*PIECES, *random_texts(200)),
    *("the-final--cut-", "-a1b22 3", "--", "a,b;c", "▁a ▁▁b", "_a b_", " a", "a ", "", "ab$+<c€"),
]
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
CLASSES: list[Step] = [
    {"type": "BertPreTokenizer"},
    {"type": "UnicodeScripts"},
    {"type": "Whitespace"},
    {"type": "WhitespaceSplit"},
    {"type": "Digits", "individual_digits": True},
    {"type": "Digits", "individual_digits": False},
    {"type": "Punctuation", "behavior": "Removed"},
]
METASPACES: list[Step] = [
    {"type": "Metaspace", "replacement": replacement, "prepend_scheme": scheme, "split": split}
    for replacement, scheme, split in product("▁_", ("first", "never", "always"), (True, False))
]
OTHERS: list[Step] = [
    {"type": "Punctuation"},
    *({"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS[1:]),
    {"type": "CharDelimiterSplit", "delimiter": "é"},
    {"type": "FixedLength"},
    {"type": "FixedLength", "length": 2},
    {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, "str_rep": "▁"},
    {
        "type": "Metaspace",
        "replacement": "▁",
        "add_prefix_space": False,
        "prepend_scheme": "never",
    },
]
BYTE_LEVELS: list[Step] = [
    {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": False, "use_regex": regex}
    for prefix, regex in product((True, False), repeat=2)
]
SPLITS: list[Step] = [
    {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
    for pattern in ({"String": ""}, {"String": "--"}, {"Regex": r"\s*|-"}, {"Regex": "[0-9]"})
    for behavior, invert in product(BEHAVIORS, (False, True))
]
FALCON: Step = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Punctuation", "behavior": "Contiguous"},
        BYTE_LEVELS[2],
        {"type": "Digits", "individual_digits": False},
        {
            "type": "Split",
            "pattern": {"Regex": "[0-9][0-9][0-9]"},
            "behavior": "Isolated",
            "invert": False,
        },
    ],
}


@pytest.fixture
def pieces_sidecar(
    binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Step, Sequence[str]], Sidecar]]:
    """Start a sidecar whose ids are the pieces of a pre-tokenizer."""
    with ExitStack() as stack:

        def start(pre_tokenizer: Step, texts: Sequence[str]) -> Sidecar:
            path = tmp_path_factory.mktemp("p") / "tokenizer.json"
            save_pieces_tokenizer(pre_tokenizer, texts, path)
            return stack.enter_context(serve(path, path.with_name("s")))

        yield start


def _short(step: Step) -> str:
    return " ".join(str(value) for value in step.values())


@pytest.mark.parametrize("step", [*CLASSES, *METASPACES, *OTHERS, FALCON], ids=_short)
def test_alone(pieces_sidecar: Callable[..., Sidecar], step: Step) -> None:
    """Each pre-tokenizer cuts as Hugging Face does, and tells the same places."""
    assert_pieces_agree(pieces_sidecar(step, TEXTS), TEXTS)


@pytest.mark.parametrize("step", CLASSES, ids=_short)
def test_every_code_point(pieces_sidecar: Callable[..., Sidecar], step: Step) -> None:
    """Each class of characters has the same members."""
    texts = list(every_code_point(step=2000))

    pieces_sidecar(step, texts).assert_agrees(texts)


@pytest.mark.parametrize("seed", range(12))
def test_sequences(pieces_sidecar: Callable[..., Sidecar], seed: int) -> None:
    """In a sequence each step sees the pieces of the one before, ByteLevel's alphabet included."""
    random_ = random.Random(seed)
    steps = [*CLASSES, *METASPACES, *OTHERS, *BYTE_LEVELS, *SPLITS]
    sequence = {"type": "Sequence", "pretokenizers": random_.sample(steps, random_.randint(2, 4))}

    assert_pieces_agree(pieces_sidecar(sequence, TEXTS), TEXTS)


def test_byte_level_twice(pieces_sidecar: Callable[..., Sidecar]) -> None:
    """The second ByteLevel writes the characters of the first in its alphabet."""
    twice = {"type": "Sequence", "pretokenizers": [BYTE_LEVELS[1], BYTE_LEVELS[0]]}

    assert_pieces_agree(pieces_sidecar(twice, TEXTS), TEXTS)
