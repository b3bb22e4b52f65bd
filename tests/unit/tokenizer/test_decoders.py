"""Every decoder, alone and in sequences, whole and in streams, against `tokenizers`."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from tokenizers import Tokenizer

from tests.unit.tokenizer.reference_stream import step_texts
from tests.unit.tokenizer.running_sidecar import Sidecar
from tests.unit.tokenizer.test_decode import appended, closed, opened, stream
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

# Each token means something to some decoder. The empty one is last: `tokenizers` panics where Strip
# takes off the end of it.
TOKENS = [
    *(
        "a",
        "b",
        "ab",
        "c",
        "##c",
        "##",
        "#",
        "h</w>",
        "</w>",
        "▁",
        "▁▁",
        "▁x",
        "x▁y",
        " ",
        "  ",
        "_",
    ),
    *(" y ", "__", "_z_", "é", "Ġ", "Ġthe", "âĤ¬", "âĤ", "¬", "Ãī", "Ãīx", "☃", "<pad>", "|", "||"),
    *(".", " .", ",", "!", "?", "'", " ' ", "n't", "'m", "'s", "'ve", "'re", " do not", "do not"),
    *("<0xE2>", "<0x82>", "<0xAC>", "<0x41>", "<0x+5>", "<0xZZ>", "<0xe29>", "<0x9>", "<0xFF>"),
    *(
        "<0x20>",
        "<0xC4>",
        "<0x0a>",
        "1",
        "22",
        "a1b",
        "\U0001f600",
        "\ufffd",
        "<s>",
        "a quite long one",
        "",
    ),
]
# A context that begins with one of them begins in the middle of a character.
CONTINUATIONS = {"<0x82>", "<0xAC>"}
BYTE_LEVEL: dict[str, object] = {
    "type": "ByteLevel",
    "add_prefix_space": True,
    "trim_offsets": True,
}
BYTE_FALLBACK: dict[str, object] = {"type": "ByteFallback"}
FUSE: dict[str, object] = {"type": "Fuse"}


def strip(content: str, start: int, stop: int) -> dict[str, object]:
    """Return a Strip."""
    return {"type": "Strip", "content": content, "start": start, "stop": stop}


def replace(kind: str, pattern: str, content: str) -> dict[str, object]:
    """Return a Replace."""
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def metaspace(**members: object) -> dict[str, object]:
    """Return a Metaspace."""
    return {"type": "Metaspace", "replacement": "▁"} | members


def word_piece(prefix: str, *, cleanup: bool) -> dict[str, object]:
    """Return a WordPiece."""
    return {"type": "WordPiece", "prefix": prefix, "cleanup": cleanup}


def ctc(pad: str, delimiter: str, *, cleanup: bool) -> dict[str, object]:
    """Return a CTC."""
    return {
        "type": "CTC",
        "pad_token": pad,
        "word_delimiter_token": delimiter,
        "cleanup": cleanup,
    }


def bpe(suffix: str) -> dict[str, object]:
    """Return a BPEDecoder."""
    return {"type": "BPEDecoder", "suffix": suffix}


def sequence(*decoders: dict[str, object]) -> dict[str, object]:
    """Return a Sequence."""
    return {"type": "Sequence", "decoders": list(decoders)}


LLAMA: list[dict[str, object]] = [replace("String", "▁", " "), BYTE_FALLBACK, FUSE]
DECODERS: list[dict[str, object] | None] = [
    None,
    *(BYTE_LEVEL, BYTE_FALLBACK, FUSE, metaspace(), metaspace(prepend_scheme="first")),
    *(metaspace(prepend_scheme="never", add_prefix_space=False), metaspace(add_prefix_space=True)),
    metaspace(str_rep="▁", add_prefix_space=None, split=False),
    *(
        word_piece("##", cleanup=True),
        word_piece("##", cleanup=False),
        word_piece("", cleanup=True),
    ),
    *(bpe("</w>"), bpe(""), bpe("a")),
    *(ctc("<pad>", "|", cleanup=True), ctc("<pad>", "|", cleanup=False), ctc("", "", cleanup=True)),
    *(ctc("a", "b", cleanup=True), ctc("|", "", cleanup=True)),
    *(replace("String", "a", ""), replace("String", "", "-"), replace("String", "__", "_")),
    *(replace("Regex", r"\s+|\d", "<>"), replace("Regex", "", "-"), replace("Regex", "a?", "x")),
    *(strip(" ", 1, 0), strip("_", 2, 0), strip("é", 1, 0)),
    *(sequence(), sequence(FUSE), sequence(*LLAMA), sequence(*LLAMA, strip(" ", 1, 0))),
    *(sequence(*LLAMA, strip("a", 3, 0)), sequence(FUSE, replace("String", "ab", "aba"))),
    *(sequence(FUSE, replace("Regex", "(ab)+", "x")), sequence(FUSE, replace("String", "", "-"))),
    *(
        sequence(FUSE, metaspace()),
        sequence(FUSE, bpe("a")),
        sequence(FUSE, ctc("a", "b", cleanup=True)),
    ),
    *(sequence(FUSE, word_piece("a", cleanup=True)), sequence(FUSE, BYTE_LEVEL)),
    *(sequence(BYTE_LEVEL, word_piece("a", cleanup=True)), sequence(BYTE_LEVEL, strip("a", 2, 0))),
    *(sequence(replace("String", "a", "Ġ"), BYTE_LEVEL, BYTE_LEVEL), sequence(FUSE, BYTE_FALLBACK)),
    *(sequence(BYTE_FALLBACK, metaspace()), sequence(metaspace(), BYTE_FALLBACK, bpe("b"))),
    *(
        sequence(BYTE_FALLBACK, BYTE_LEVEL),
        sequence(BYTE_FALLBACK, word_piece("#", cleanup=True)),
    ),
    sequence(word_piece("##", cleanup=False), replace("String", " ", "▁"), metaspace(), FUSE),
    sequence(ctc("<pad>", "|", cleanup=True), metaspace()),
    sequence(replace("Regex", "^a", "<0xE2>"), BYTE_FALLBACK, sequence(FUSE, strip(" ", 1, 0))),
    sequence(bpe("</w>"), strip(" ", 1, 0), BYTE_FALLBACK),
    sequence(strip(" ", 1, 0), strip("_", 1, 0), word_piece("a", cleanup=True), BYTE_FALLBACK),
]
# The kinds that models have.
REAL_DECODERS = [
    *(None, BYTE_LEVEL, sequence(*LLAMA), sequence(*LLAMA, strip(" ", 1, 0)), bpe("</w>")),
    *(metaspace(), metaspace(prepend_scheme="never"), word_piece("##", cleanup=True)),
]
# `tokenizers` panics where these find nothing to take off, so the empty token and texts without a
# token are kept from them.
ENDS = [
    *(sequence(replace("Regex", "^|$", "qq"), strip("q", 1, 1)), sequence(strip(" ", 0, 0))),
    sequence(replace("Regex", "^.*$", "q-q"), FUSE, strip("q", 1, 1)),
    sequence(replace("Regex", "^", "-__"), FUSE, strip("_", 0, 2), replace("String", "-_", "+")),
]


def document(decoder: dict[str, object] | None) -> dict[str, object]:
    """Return the members of a tokenizer.json whose vocabulary is TOKENS."""
    return {
        "model": {
            "type": "BPE",
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "vocab": {token: i for i, token in enumerate(TOKENS)},
            "merges": [],
        },
        "added_tokens": [
            {"id": TOKENS.index("<s>"), "content": "<s>", "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        ],
        "normalizer": None,
        "post_processor": None,
        "decoder": decoder,
    }


def id_lists(count: int) -> list[list[int]]:
    """Return lists of ids: none, each alone, every pair of some, and random ones."""
    random_ = random.Random(11)
    every = range(len(TOKENS) - 1)
    lists = [[], *([i] for i in every), [len(TOKENS) - 1]]
    lists += [
        [random_.choice(every) for _ in range(random_.randrange(2, 12))] for _ in range(count)
    ]
    runs = [TOKENS.index(t) for t in TOKENS if t.startswith("<0x")] + [0, 1, len(TOKENS) - 1]
    return lists + [[random_.choice(runs) for _ in range(8)] for _ in range(count // 3)]


def streamed(sidecar: Sidecar, calls: list[list[list[int]]], *, skip: bool) -> list[list[str]]:
    """Return for each list of calls what the stream gave for each, and at its end."""
    requests = [
        [opened(1, skip=skip), *(appended(1, ids) for ids in one), closed(1)] for one in calls
    ]
    return [[r.text for r in results[1:]] for results in stream(sidecar, requests)]


def their_steps(
    reference: Tokenizer, ids: list[int], *, skip: bool, context: list[int]
) -> list[str] | None:
    """Return the text that each id adds; nothing where `tokenizers` panics, as Strip makes it."""
    try:
        return step_texts(reference, ids, skip=skip, context=context)
    except BaseException as failure:
        if type(failure).__name__ != "PanicException":
            raise
        return None


@pytest.mark.parametrize("decoder", [*DECODERS, *ENDS], ids=str)
@pytest.mark.parametrize("skip", [False, True])
def test_decoder(
    variant: Callable[..., Sidecar], decoder: dict[str, object] | None, *, skip: bool
) -> None:
    """Whole texts are those of Hugging Face; so are streams, however the ids are cut."""
    sidecar = variant(**document(decoder))
    lists = id_lists(60)
    if decoder in ENDS:
        empty, special = TOKENS.index(""), TOKENS.index("<s>")
        lists = [ids for ids in lists if ids and empty not in ids and {special} != set(ids)]
    for ids in lists:
        text = sidecar.reference.decode(ids, skip_special_tokens=skip)
        request = pb.DecodeRequest(token_ids=ids, skip_special_tokens=skip)
        assert text == sidecar.stub.Decode(request).text, [TOKENS[i] for i in ids]
    compared = 0
    for ids in lists[::3]:
        steps = their_steps(sidecar.reference, ids, skip=skip, context=[])
        if steps is None:
            continue
        compared += 1
        calls = [[ids[:cut], ids[cut:]] for cut in range(len(ids) + 1)]
        single, *cut_in_two = streamed(sidecar, [[[i] for i in ids], *calls], skip=skip)
        assert [*steps, ""] == single, [TOKENS[i] for i in ids]
        assert {"".join(steps)} == {"".join(pieces) for pieces in cut_in_two}
    assert compared > len(lists) // 12


def assert_same_but_for(before: str, theirs: str, ours: str) -> None:
    """Assert that they give out all of `before`, and we of it only what looks unfinished."""
    assert theirs.endswith(ours)
    given = theirs.removesuffix(ours) if ours else before
    assert before.startswith(given)
    assert not before.removeprefix(given).strip("\ufffd")


@pytest.mark.parametrize("decoder", REAL_DECODERS, ids=str)
@pytest.mark.parametrize("skip", [False, True])
def test_context(
    variant: Callable[..., Sidecar], decoder: dict[str, object] | None, *, skip: bool
) -> None:
    """Behind a context the texts are those of Hugging Face.

    But where it looks unfinished: then Hugging Face gives out all of it, too.
    """
    sidecar = variant(**document(decoder))
    random_ = random.Random(3)
    compared = 0
    for whole in id_lists(300):
        at = random_.randrange(len(whole) + 1)
        context, ids = whole[:at], whole[at:]
        if context and TOKENS[context[0]] in CONTINUATIONS:
            continue
        steps = their_steps(sidecar.reference, ids, skip=skip, context=context)
        if steps is None:
            continue
        compared += 1
        opening = opened(1, skip=skip, context=context)
        operations = [opening, *(appended(1, [i]) for i in ids), closed(1)]
        actual = [r.text for r in next(stream(sidecar, [operations]))][1:-1]
        before = sidecar.reference.decode(context, skip_special_tokens=skip)
        if before.endswith("\ufffd"):
            assert_same_but_for(before, "".join(steps), "".join(actual))
        else:
            assert steps == actual, [TOKENS[i] for i in whole]
    assert compared > 200
