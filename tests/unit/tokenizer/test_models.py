"""Every model of tokenizer.json with every option, against Hugging Face: ids, spans and failures.

Most models here are random: small vocabularies with holes, in which ties, unknown characters and
odd merges are the rule.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import grpc
import pytest
from tokenizers import Encoding, Tokenizer, models, pre_tokenizers, trainers

from tests.unit.tokenizer.hard_texts import PIECES, random_texts
from tests.unit.tokenizer.running_sidecar import Sidecar
from tests.unit.tokenizer.trained_tokenizers import CORPUS
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

Json = dict[str, Any]
LETTERS = ("a", "b", "é", "한", "😀")
HARD_TEXTS = [*PIECES, *random_texts(100)]
# All texts of at most four characters, and longer ones.
SMALL_TEXTS = [
    *("".join(letters) for n in range(5) for letters in product("ab é", repeat=n)),
    *("".join(random.Random(seed).choices((*LETTERS, " "), k=seed % 60)) for seed in range(300)),
]
UNKNOWN = "<unk>"
BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


def in_characters(text: str, begin: int, end: int) -> tuple[int, int]:
    """Widen a span of bytes to whole characters, and count it in these."""
    before = len(text.encode()[:begin].decode(errors="ignore"))
    within = text.encode()[len(text[:before].encode()) : end]
    return before, before + len(within.decode(errors="replace"))


def assert_agrees(sidecar: Sidecar, texts: Sequence[str], *, spans: bool = True) -> None:
    """Assert that ids and spans are those of Hugging Face, or that both fail."""
    expected: dict[str, Encoding] = {}
    for text in texts:
        try:
            expected[text] = sidecar.reference.encode(text, add_special_tokens=False)
        except Exception:  # noqa: BLE001 - it has no other
            with pytest.raises(grpc.RpcError) as failure:
                sidecar.stub.Encode(pb.EncodeRequest(text=text.encode()))
            assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    requests = [pb.EncodeRequest(text=t.encode(), include_token_spans=True) for t in expected]
    actual = sidecar.stub.EncodeBatch(pb.EncodeBatchRequest(requests=requests)).responses
    for (text, encoding), response in zip(expected.items(), actual, strict=True):
        assert encoding.ids == list(response.token_ids), ascii(text)
        if spans:
            found = [in_characters(text, span.begin, span.end) for span in response.token_spans]
            assert encoding.offsets == found, ascii(text)


@pytest.fixture
def with_model(variant: Callable[..., Sidecar]) -> Callable[..., Sidecar]:
    """Start a sidecar for a model, behind a pre-tokenizer or none."""

    def start(model: Json, pre_tokenizer: Json | None = None) -> Sidecar:
        return variant(
            model=model,
            pre_tokenizer=pre_tokenizer,
            normalizer=None,
            added_tokens=[],
            post_processor=None,
        )

    return start


def random_bpe(random_: random.Random, letters: Sequence[str]) -> Json:
    """Return a BPE with random options, holes in its vocabulary, and merges in no good order."""
    prefix = random_.choice(("", "", "##", "é"))
    suffix = random_.choice(("", "", "</w>"))
    spelled = [s for c in letters for s in (c, prefix + c, prefix + c + suffix)]
    tokens = [token for token in dict.fromkeys(spelled) if random_.random() < 0.85]
    merges: list[tuple[str, str]] = []
    for _ in range(random_.randrange(30)):
        rights = [token for token in tokens if token.startswith(prefix) and token != prefix]
        if rights:
            merge = (random_.choice(tokens), random_.choice(rights))
            merges.append(merge)  # at times one that is there already
            tokens.append(merge[0] + merge[1][len(prefix) :])
    random_.shuffle(merges)
    kept_bytes = [token for token in BYTE_TOKENS if random_.random() < 0.98]
    vocab = dict.fromkeys((*tokens, *kept_bytes, "<unk>"))
    return {
        "type": "BPE",
        "dropout": random_.choice((None, 0.0)),
        "unk_token": random_.choice((None, "<unk>", "<unk>", "<missing>")),
        "continuing_subword_prefix": prefix or random_.choice((None, "")),
        "end_of_word_suffix": suffix or random_.choice((None, "")),
        "fuse_unk": random_.random() < 0.5,
        "byte_fallback": random_.random() < 0.5,
        "ignore_merges": random_.random() < 0.5,
        "vocab": {token: id_ for id_, token in enumerate(vocab)},
        "merges": random_.choice((merges, [" ".join(merge) for merge in merges])),
    }


def odd_bpe(random_: random.Random) -> Json:
    """Return a BPE in which merges may give a token that they are made of, or start from nothing.

    A prefix is cut off the right part of a merge, whatever the part begins with.
    """
    prefix = random_.choice(("", "a", "#", "##"))
    tokens = ["", prefix, "#", "##", "a", "b", "#a", "##b", "aa"]
    merges: list[tuple[str, str]] = []
    for _ in range(random_.randrange(2, 20)):
        rights = [token for token in tokens if len(token) >= len(prefix)]
        merge = (random_.choice(tokens), random_.choice(rights))
        merges.append(merge)
        tokens.append(merge[0] + merge[1][len(prefix) :])
    random_.shuffle(merges)
    return {
        "type": "BPE",
        "unk_token": random_.choice(("", *tokens)),
        "continuing_subword_prefix": prefix,
        "end_of_word_suffix": random_.choice(("", "a", "#")),
        "fuse_unk": random_.random() < 0.5,
        "vocab": {token: id_ for id_, token in enumerate(dict.fromkeys(tokens))},
        "merges": merges,
    }


@pytest.mark.parametrize("seed", range(8))
def test_odd_merges(with_model: Callable[..., Sidecar], seed: int) -> None:
    """Merges that do not make their token longer end, and as in Hugging Face."""
    random_ = random.Random(seed)
    texts = ["".join(random_.choices("ab#x", k=random_.randrange(60))) for _ in range(600)]

    assert_agrees(with_model(odd_bpe(random_)), texts)


@pytest.mark.parametrize("seed", range(16))
def test_bpe_over_characters(with_model: Callable[..., Sidecar], seed: int) -> None:
    """BPE over text agrees, whatever its options."""
    model = random_bpe(random.Random(seed), LETTERS)
    # An affix that falls back to bytes makes spans that reach past the text.
    affix = model["continuing_subword_prefix"] or model["end_of_word_suffix"]

    assert_agrees(with_model(model), SMALL_TEXTS, spans=not (affix and model["byte_fallback"]))


@pytest.mark.parametrize("seed", range(12))
def test_bpe_over_bytes(with_model: Callable[..., Sidecar], seed: int) -> None:
    """BPE over bytes agrees, whatever its options, also where the vocabulary lacks bytes."""
    alphabet = [*"abĠÃ©íķľðŁĺĢ"]
    model = random_bpe(random.Random(seed), alphabet)
    affix = model["continuing_subword_prefix"] or model["end_of_word_suffix"]

    sidecar = with_model(model, BYTE_LEVEL)

    assert_agrees(sidecar, SMALL_TEXTS, spans=not (affix and model["byte_fallback"]))


def trained(model: object, trainer: object, pre_tokenizer: object) -> tuple[Json, Json]:
    """Train a model on CORPUS; return it and its pre-tokenizer as tokenizer.json has them."""
    tokenizer = Tokenizer(model)  # type: ignore[arg-type]
    tokenizer.pre_tokenizer = pre_tokenizer  # type: ignore[assignment]
    tokenizer.train_from_iterator(CORPUS, trainer)  # type: ignore[arg-type]
    document = json.loads(tokenizer.to_str())
    return document["model"], document["pre_tokenizer"]


@pytest.mark.parametrize(
    ("byte_fallback", "fuse_unk", "unk_token"),
    [*product((False, True), (False, True), (None, UNKNOWN))],
)
def test_trained_bpe_with_byte_fallback(
    with_model: Callable[..., Sidecar],
    unk_token: str | None,
    *,
    byte_fallback: bool,
    fuse_unk: bool,
) -> None:
    """The style of Llama 2."""
    model, pre_tokenizer = trained(
        models.BPE(unk_token=UNKNOWN),
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=[UNKNOWN, *BYTE_TOKENS], limit_alphabet=60
        ),
        pre_tokenizers.Metaspace(),
    )
    options = {"byte_fallback": byte_fallback, "fuse_unk": fuse_unk, "unk_token": unk_token}

    assert_agrees(with_model(model | options, pre_tokenizer), HARD_TEXTS)


@pytest.mark.parametrize("affixes", [("", "</w>"), ("##", ""), ("##", "</w>")])
def test_trained_bpe_with_affixes(
    with_model: Callable[..., Sidecar], affixes: tuple[str, str]
) -> None:
    """The style of CLIP, and prefixes."""
    prefix, suffix = affixes
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=[UNKNOWN],
        continuing_subword_prefix=prefix,
        end_of_word_suffix=suffix,
    )
    model = models.BPE(
        unk_token=UNKNOWN, continuing_subword_prefix=prefix, end_of_word_suffix=suffix
    )

    assert_agrees(with_model(*trained(model, trainer, pre_tokenizers.Whitespace())), HARD_TEXTS)


def random_unigram(random_: random.Random) -> Json:
    """Return a Unigram with many ties, or with scores of 17 digits."""
    tokens = {
        "".join(random_.choices((*LETTERS, " "), k=random_.randint(1, 4)))
        for _ in range(random_.randrange(60))
    }
    tokens |= {letter for letter in LETTERS if random_.random() < 0.8}
    tokens |= {token for token in BYTE_TOKENS if random_.random() < 0.99}
    vocab = [*sorted(tokens), "<unk>", "", "aé<unk>"]
    random_.shuffle(vocab)
    has_ties = random_.random() < 0.6
    lowest = random_.choice((-5.0, -5.0, 90.0))

    def score() -> float:
        return random_.randint(-2, 2) + lowest if has_ties else random_.uniform(-20, -1)

    return {
        "type": "Unigram",
        "unk_id": random_.choice((None, vocab.index("<unk>"), vocab.index("<unk>"))),
        "vocab": [[token, score()] for token in vocab],
        "byte_fallback": random_.random() < 0.5,
    }


@pytest.mark.parametrize("seed", range(20))
def test_unigram(with_model: Callable[..., Sidecar], seed: int) -> None:
    """Unigram takes the same way as Hugging Face, of equal ones too."""
    model = random_unigram(random.Random(seed))

    assert_agrees(with_model(model), [*SMALL_TEXTS, "<unk>", "a<unk><unk>é", "aé<unk>"])


def test_unigram_adds_scores_as_serde_reads_them(with_model: Callable[..., Sidecar]) -> None:
    """Where two ways differ by a rounding of the scores alone, ours is Hugging Face's."""
    random_ = random.Random(1)
    vocab: list[list[object]] = [["<unk>", -90.0]]
    texts = []
    for code in range(0x4E00, 0x4E00 + 3 * 1000, 3):
        left, right, joined = chr(code), chr(code + 1), chr(code) + chr(code + 1)
        scores = [random_.uniform(-10, -1) for _ in range(2)]
        vocab += [[left, scores[0]], [right, scores[1]], [joined, sum(scores)]]
        texts.append(joined)
    sidecar = with_model({"type": "Unigram", "unk_id": 0, "vocab": vocab})

    sidecar.assert_agrees(texts)


@pytest.mark.parametrize("byte_fallback", [False, True])
def test_trained_unigram(with_model: Callable[..., Sidecar], *, byte_fallback: bool) -> None:
    """The style of T5."""
    model, pre_tokenizer = trained(
        models.Unigram(),
        trainers.UnigramTrainer(
            vocab_size=400, special_tokens=[UNKNOWN, *BYTE_TOKENS], unk_token=UNKNOWN
        ),
        pre_tokenizers.Metaspace(),
    )

    sidecar = with_model(model | {"byte_fallback": byte_fallback}, pre_tokenizer)

    assert_agrees(sidecar, HARD_TEXTS)


@pytest.mark.parametrize("max_input_chars_per_word", [0, 3, 100])
@pytest.mark.parametrize("prefix", ["##", "", "e"])
@pytest.mark.parametrize("unk_token", [UNKNOWN, "<missing>"])
def test_word_piece(
    with_model: Callable[..., Sidecar],
    max_input_chars_per_word: int,
    prefix: str,
    unk_token: str,
) -> None:
    """The style of BERT."""
    model, pre_tokenizer = trained(
        models.WordPiece(unk_token=UNKNOWN),
        trainers.WordPieceTrainer(vocab_size=300, special_tokens=[UNKNOWN]),
        pre_tokenizers.BertPreTokenizer(),
    )
    options = {
        "max_input_chars_per_word": max_input_chars_per_word,
        "continuing_subword_prefix": prefix,
        "unk_token": unk_token,
    }

    assert_agrees(with_model(model | options, pre_tokenizer), HARD_TEXTS)


@pytest.mark.parametrize("unk_token", [UNKNOWN, "<missing>"])
def test_word_level(with_model: Callable[..., Sidecar], unk_token: str) -> None:
    """A word is a token, or unknown."""
    model, pre_tokenizer = trained(
        models.WordLevel(unk_token=UNKNOWN),
        trainers.WordLevelTrainer(vocab_size=50, special_tokens=[UNKNOWN]),
        pre_tokenizers.WhitespaceSplit(),
    )

    assert_agrees(with_model(model | {"unk_token": unk_token}, pre_tokenizer), HARD_TEXTS)


@pytest.mark.parametrize("kind", ["BPE", "Unigram", "WordPiece", "WordLevel"])
def test_files_from_before_models_had_a_type(with_model: Callable[..., Sidecar], kind: str) -> None:
    """What a model without a type is, its members tell."""
    vocab = {"a": 0, "b": 1, "ab": 2, "##b": 3}
    piece = {"continuing_subword_prefix": "##", "max_input_chars_per_word": 5}
    by_kind: dict[str, Json] = {
        "BPE": {"vocab": vocab, "merges": ["#version: 0.2", "a b"]},
        "Unigram": {"vocab": [[token, -1] for token in vocab]},
        "WordPiece": {"vocab": vocab, "unk_token": "a"} | piece,
        "WordLevel": {"vocab": vocab, "unk_token": "a"},
    }

    assert_agrees(with_model(by_kind[kind]), SMALL_TEXTS)


@pytest.mark.parametrize("kind", ["Unigram", "WordPiece", "WordLevel"])
def test_other_models_over_bytes(with_model: Callable[..., Sidecar], kind: str) -> None:
    """Behind ByteLevel, models other than BPE see its alphabet."""
    vocab = {token: id_ for id_, token in enumerate(["?", "a", "b", "Ġ", "Ã", "©", "##b", "ab"])}
    by_kind: dict[str, Json] = {
        "Unigram": {"vocab": [[token, -1] for token in vocab], "unk_id": 0},
        "WordPiece": {
            "vocab": vocab,
            "unk_token": "?",
            "continuing_subword_prefix": "",
            "max_input_chars_per_word": 9,
        },
        "WordLevel": {"vocab": vocab, "unk_token": "?"},
    }

    assert_agrees(with_model(by_kind[kind] | {"type": kind}, BYTE_LEVEL), SMALL_TEXTS)
