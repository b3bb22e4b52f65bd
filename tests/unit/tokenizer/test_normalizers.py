"""Every normalizer against Hugging Face: what it makes of a text, and what that came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import pytest

from tests.unit.tokenizer.hard_texts import PIECES, random_texts
from tests.unit.tokenizer.running_sidecar import Sidecar
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

MARKS = "\u0301\u0323\u0345\u0334\u0327\u1161\u11a8\u3099\u0338\u094d\u200d\ufe0f"
BASES = (
    "aAÅéİ=Ω각가\u1100क字か\u09c7©⌚ﬁ㍿㌀\u0344\ufb1d\U0001f600\t\u200b\x00\ufffd \u2002▁\U0002f800"
)
SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
TEXTS = [
    *PIECES,
    *random_texts(200),
    *("".join(f"{a}{b}{c}x {c}{a}" for c in MARKS) for a, b in product(BASES, MARKS)),
    *("-".join(f"{a}{b}" for b in BASES) for a in BASES),
    *(" ", " \n ", "\u3000a\u3000", "\x00", "\u0301", "abc", "bbb", "aé" * 50, "🇩🇪🇫🇷"),
]


def replace(pattern: dict[str, str], content: str) -> dict[str, object]:
    """Return a Replace."""
    return {"type": "Replace", "pattern": pattern, "content": content}


def bert(*, clean: bool, chinese: bool, accents: bool | None, lowercase: bool) -> dict[str, object]:
    """Return a BertNormalizer."""
    options = {"clean_text": clean, "handle_chinese_chars": chinese}
    more = {"strip_accents": accents, "lowercase": lowercase}
    return {"type": "BertNormalizer", **options, **more}


def strip(*, left: bool, right: bool) -> dict[str, object]:
    """Return a Strip."""
    return {"type": "Strip", "strip_left": left, "strip_right": right}


def sequence(*steps: dict[str, object]) -> dict[str, object]:
    """Return a Sequence."""
    return {"type": "Sequence", "normalizers": list(steps)}


def bare(*types: str) -> list[dict[str, object]]:
    """Return normalizers that have no options."""
    return [{"type": type_} for type_ in types]


PREPEND: dict[str, object] = {"type": "Prepend", "prepend": "▁▁"}
BERT = bert(clean=True, chinese=True, accents=None, lowercase=True)
NORMALIZERS = [
    *bare("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"),
    BERT,
    bert(clean=True, chinese=False, accents=False, lowercase=False),
    bert(clean=False, chinese=True, accents=True, lowercase=False),
    bert(clean=False, chinese=False, accents=False, lowercase=True),
    *(strip(left=left, right=right) for left, right in product((False, True), repeat=2)),
    *(replace({"String": old}, new) for old, new in product((" ", "aé", "é"), ("▁", "", "xyz"))),
    *(
        replace({"Regex": old}, new)
        for old, new in product((r"\s+", r"b+", r" {2,}", r"a(?=b)", r".\z"), ("▁", "", "xyz"))
    ),
    # With a content other than the empty one, Hugging Face panics where the text begins with an
    # empty match: ByteLevel does not expect what came from nowhere.
    *(replace({"Regex": pattern}, "") for pattern in (r"b*", r"(?=a)", r"")),
    replace({"Regex": r"\z"}, "xy"),
    PREPEND,
]
SEQUENCES = [
    sequence(),
    sequence(PREPEND, replace({"String": " "}, "▁")),
    sequence(*bare("NFKD", "StripAccents", "Lowercase")),
    sequence(*bare("Nmt", "NFKC"), replace({"Regex": " {2,}"}, " ")),
    sequence(strip(left=True, right=True), *bare("NFD", "NFC", "ByteLevel")),
    sequence(strip(left=True, right=False), replace({"String": ""}, "")),
    sequence(*bare("NFD"), replace({"Regex": "a."}, "xyz"), *bare("NFC", "Lowercase"), PREPEND),
    sequence(BERT, *bare("NFC"), sequence(PREPEND, sequence(*bare("NFKC")))),
    sequence(replace({"String": "e"}, "e\u0301\u0323"), *bare("NFC", "NFKD", "NFC"), BERT),
]


def whole_characters(text: str, spans: Sequence[pb.ByteSpan]) -> list[tuple[int, int]]:
    """Return byte spans as spans of the characters that they touch."""
    character_of = [i for i, c in enumerate(text) for _ in c.encode()] + [len(text)]
    return [
        (character_of[s.begin], character_of[s.end - 1] + 1)
        if s.begin < s.end
        else (character_of[s.begin],) * 2
        for s in spans
    ]


def assert_same_text_and_origins(sidecar: Sidecar, texts: Sequence[str]) -> None:
    """Assert that both make the same bytes of each text, from the same characters of it."""
    requests = [pb.EncodeRequest(text=t.encode(), include_token_spans=True) for t in texts]
    responses = [
        response
        for start in range(0, len(requests), 500)
        for response in sidecar.stub.EncodeBatch(
            pb.EncodeBatchRequest(requests=requests[start : start + 500])
        ).responses
    ]
    expected = sidecar.reference.encode_batch(texts, add_special_tokens=False)
    for text, encoding, response in zip(texts, expected, responses, strict=True):
        assert encoding.ids == list(response.token_ids), ascii(text)
        assert encoding.offsets == whole_characters(text, response.token_spans), ascii(text)


@pytest.fixture
def normalizing(variant: Callable[..., Sidecar]) -> Callable[[dict[str, object]], Sidecar]:
    """Start a sidecar whose tokens are the bytes of what a normalizer makes of a text."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    letter_of = {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(rest)}}
    model = {"type": "BPE", "vocab": {letter_of[b]: b for b in range(256)}, "merges": []}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}

    def start(normalizer: dict[str, object]) -> Sidecar:
        return variant(
            normalizer=normalizer,
            pre_tokenizer={**byte_level, "trim_offsets": False},
            model=model,
            added_tokens=[],
            post_processor=None,
        )

    return start


@pytest.mark.parametrize("normalizer", [*NORMALIZERS, *SEQUENCES], ids=str)
def test_text_and_origins(
    normalizing: Callable[[dict[str, object]], Sidecar], normalizer: dict[str, object]
) -> None:
    """A normalizer makes the same text of hard texts, and aligns it in the same way."""
    assert_same_text_and_origins(normalizing(normalizer), TEXTS)


@pytest.mark.parametrize(
    "normalizer",
    [*bare("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"), BERT],
    ids=str,
)
def test_every_code_point(
    normalizing: Callable[[dict[str, object]], Sidecar], normalizer: dict[str, object]
) -> None:
    """A normalizer treats each code point as Hugging Face does."""
    texts = [
        "".join(f"{chr(c)}1" for c in SCALARS[i : i + 4000]) for i in range(0, len(SCALARS), 4000)
    ]
    normalizing(normalizer).assert_agrees(texts)


def test_without_type(normalizing: Callable[[dict[str, object]], Sidecar]) -> None:
    """A normalizer without a type is known by its members."""
    for normalizer in (PREPEND, BERT, strip(left=True, right=False), replace({"String": "a"}, "b")):
        bare_members = {k: v for k, v in normalizer.items() if k != "type"}
        normalizing(bare_members).assert_agrees(PIECES)
